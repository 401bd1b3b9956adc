require('node:http')
  .createServer((request, response) => (request.url === '/health' ? response.end('ok') : process.exit(1)))
  .listen(process.env.PORT);
