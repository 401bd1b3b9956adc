require('node:http')
  .createServer((request, response) => {
    if (request.url === '/three') {
      console.error('unexpected: three');
      process.exit(3);
    }
    response.end('ok');
  })
  .listen(process.env.PORT);
