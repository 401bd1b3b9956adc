const event = { event: 'check', check: { id: 'five/one', name: 'one', status: 'passed', points: 1, maxPoints: 1 } };
setInterval(() => console.log(JSON.stringify(event)), 10);
require('node:http')
  .createServer((request, response) => {
    response.statusCode = request.url === '/health' ? 200 : 500;
    response.end(`${JSON.stringify(event)}\n${JSON.stringify({ event: 'done' })}\n`);
  })
  .listen(process.env.PORT);
