// Serves items and reservations as json-server does by itself, from a file in /data.
const { existsSync, writeFileSync } = require('node:fs');
const jsonServer = require('json-server');

const file = '/data/db.json';
if (!existsSync(file)) {
  writeFileSync(file, '{ "items": [], "reservations": [] }');
}
const server = jsonServer.create();
server.get('/health', (_request, response) => response.json({ status: 'ok' }));
server.use(jsonServer.defaults({ logger: false, readOnly: false, static: __dirname }));
server.use(jsonServer.router(file));
server.listen(Number(process.env.PORT ?? 8080));
