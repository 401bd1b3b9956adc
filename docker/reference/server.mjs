// A service of known make, on the CPUs of a submission and with its share of them. What it does for a request stands
// for what services do: it reads JSON, sorts, hashes, ranks and writes JSON. On a core that others share, some work is
// slowed more than other work. This mix loses about as much as a service on a framework in Python, the kind that comes
// close to its limits; plain ones in Node.js lose more. Figures are only comparable while it stays as is.
//
// It does as it is told by lines of JSON on stdin, one after another, and answers each with a line on stdout:
//   {"listen": 8080}   others may ask it, on 127.0.0.1     {"ok": true}
//   {"listen": null}   no longer                           {"ok": true}
//   {"turnMs": 200}    asks itself, as much as it can      {"requestsPerSecond": 11834.2, "cpuMs": 231.4}
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ITEMS = Array.from({ length: 64 }, (_, index) => ({ id: (index * 37) % 64, name: `item ${index}` }));
const DOCUMENT = JSON.stringify(ITEMS);
const scores = new Float64Array(800);
let drawn = 1;

/** Other numbers at every request: a processor learns the order of the same ones by heart. */
function rank() {
  for (let index = 0; index < scores.length; index += 1) {
    drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) & 0x7fffffff;
    scores[index] = drawn;
  }
  return scores.sort()[0];
}

function work() {
  const items = JSON.parse(DOCUMENT).sort((a, b) => a.id - b.id);
  const digest = createHash('sha256').update(JSON.stringify(items)).digest('hex');
  return JSON.stringify({ digest, first: items[0], best: rank() });
}

/** Connections stay, however long nobody asks. */
async function serve(...where) {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(request.url === '/work' ? work() : '{"ok":true}');
  });
  Object.assign(server, { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 });
  await once(server.listen(...where), 'listening');
  return server;
}

/** In its own file system, which no one else in the pod sees: a submission cannot reach it, nor slow it down. */
const OWN_SOCKET = join(tmpdir(), 'reference.sock');
const OWN_REQUEST = Buffer.from('GET /work HTTP/1.1\r\nhost: reference\r\n\r\n');
const OWN_CLIENTS = 16;
const CLOSING_BRACE = 0x7d;
/** Until its code and data are back in the caches of the CPU, ms. */
const LEAD_MS = 30;

/** Connections to itself, each with one request under way during a turn. */
class OwnClients {
  #sockets = [];
  #fromMs = 0;
  #endMs = 0;
  #answers = 0;
  #busy = 0;
  #onEnd = () => {};

  async open() {
    await serve(OWN_SOCKET);
    for (let index = 0; index < OWN_CLIENTS; index += 1) {
      const socket = connect(OWN_SOCKET);
      await once(socket, 'connect');
      // Without one of them no turn would end: better to end loudly.
      socket.on('close', () => process.exit(1));
      // A document ends with its brace, and nothing follows it before the next request.
      socket.on('data', (chunk) => chunk.at(-1) === CLOSING_BRACE && this.#take(socket));
      this.#sockets.push(socket);
    }
  }

  async turn(ms) {
    const cpu = process.cpuUsage();
    this.#fromMs = performance.now() + LEAD_MS;
    this.#endMs = this.#fromMs + ms;
    this.#answers = 0;
    this.#busy = this.#sockets.length;
    await new Promise((resolve) => {
      this.#onEnd = resolve;
      for (const socket of this.#sockets) {
        socket.write(OWN_REQUEST);
      }
    });
    const used = process.cpuUsage(cpu);
    return { requestsPerSecond: (1000 * this.#answers) / ms, cpuMs: (used.user + used.system) / 1000 };
  }

  /** One answer: the next request, or after the turn the end of this one's work. */
  #take(socket) {
    const nowMs = performance.now();
    if (nowMs < this.#endMs) {
      this.#answers += nowMs >= this.#fromMs ? 1 : 0;
      socket.write(OWN_REQUEST);
      return;
    }
    this.#busy -= 1;
    if (this.#busy === 0) {
      this.#onEnd();
    }
  }
}

const own = new OwnClients();
await own.open();
let open;
for await (const line of createInterface({ input: process.stdin })) {
  const { listen, turnMs } = JSON.parse(line);
  let answer = { ok: true };
  if (turnMs !== undefined) {
    answer = await own.turn(turnMs);
  } else {
    open?.close();
    open?.closeAllConnections();
    open = listen === null ? undefined : await serve(listen, '127.0.0.1', 1024);
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
