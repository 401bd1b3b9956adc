import http from 'node:http';

const port = Number(process.env.PORT ?? 8080);
const dataDir = process.env.DATA_DIR ?? '/data';

const server = http.createServer((req, res) => {
  const [path] = req.url.split('?');
  if (path === '/health' && req.method === 'GET') {
    sendJson(res, 200, { status: 'ok' });
    return;
  }
  sendJson(res, 404, { error: { code: 'not_found', message: 'There is nothing at this path yet.' } });
});

function sendJson(res, status, value) {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(value));
}

server.listen(port, () => console.log(`listening on port ${port}, data in ${dataDir}`));

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
