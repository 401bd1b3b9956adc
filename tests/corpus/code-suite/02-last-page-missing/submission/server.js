const items = [0, 1, 2, 3, 4, 5, 6, 7, 8];
require('node:http')
  .createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://localhost');
    const from = Number(searchParams.get('from'));
    response.end(JSON.stringify(items.slice(from, from + Number(searchParams.get('limit')))));
  })
  .listen(process.env.PORT);
