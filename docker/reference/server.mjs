// A service of known make on the CPUs and within the limits of a submission. What it does for a request stands for
// what services do: it reads JSON, sorts, hashes and writes JSON. Figures are only comparable while this stays as is.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const ITEMS = Array.from({ length: 64 }, (_, index) => ({ id: (index * 37) % 64, name: `item ${index}` }));
const DOCUMENT = JSON.stringify(ITEMS);

function work() {
  const items = JSON.parse(DOCUMENT).sort((a, b) => a.id - b.id);
  const digest = createHash('sha256').update(JSON.stringify(items)).digest('hex');
  return JSON.stringify({ digest, first: items[0] });
}

const server = createServer((request, response) => {
  request.resume();
  response.setHeader('content-type', 'application/json');
  response.end(request.url === '/work' ? work() : '{"ok":true}');
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), '127.0.0.1', 1024);
process.on('SIGTERM', () => process.exit(0));
