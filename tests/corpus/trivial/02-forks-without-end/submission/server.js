const { spawn } = require('node:child_process');
function fork() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  child.on('error', () => {});
}
setInterval(fork, 5);
setTimeout(() => process.exit(1), 3000);
