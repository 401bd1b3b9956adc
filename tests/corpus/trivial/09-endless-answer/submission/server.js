require('node:http')
  .createServer((request, response) => {
    if (request.url !== '/two') {
      response.end('ok');
      return;
    }
    const block = Buffer.alloc(65_536, 'x');
    (function more() {
      while (response.write(block));
      response.once('drain', more);
    })();
  })
  .listen(process.env.PORT);
