import http from 'node:http';
import { makeApp } from './app.js';
import { openLinkStore } from './link-store.js';

const port = Number(process.env.PORT ?? 8080);
const store = await openLinkStore(process.env.DATA_DIR ?? '/data');
const server = http.createServer(makeApp(store));

server.listen(port, '0.0.0.0', () => console.log(`listening on port ${port}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, stop);
}

/** Finishes what is in flight, then writes the last counters. */
async function stop() {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  // A client that never finishes its request must not hold up the shutdown.
  setTimeout(() => server.closeAllConnections(), 3_000).unref();
  await closed;
  await store.close();
}
