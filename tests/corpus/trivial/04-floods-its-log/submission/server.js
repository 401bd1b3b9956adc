const { spawn } = require('node:child_process');
spawn('yes', ['a line that nobody reads'], { stdio: 'inherit' });
require('node:http').createServer((request, response) => response.end('ok')).listen(process.env.PORT);
