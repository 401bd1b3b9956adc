import http from 'node:http';

const port = Number(process.env.PORT ?? 8080);

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/health' && request.method === 'GET') {
    return send(response, 200, { status: 'ok' });
  }
  return sendProblem(response, 404, 'not_found', 'There is nothing here');
});

function send(response, status, value, type = 'application/json') {
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(value));
}

function sendProblem(response, status, code, title) {
  const type = `/problems/${code.replaceAll('_', '-')}`;
  send(response, status, { type, title, status, code }, 'application/problem+json');
}

server.listen(port, () => console.log(`listening on port ${port}`));

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
