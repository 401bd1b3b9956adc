for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(name, () => {});
}
require('node:http').createServer((request, response) => response.end('ok')).listen(process.env.PORT);
