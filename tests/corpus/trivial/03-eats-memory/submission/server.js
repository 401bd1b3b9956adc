const kept = [];
setInterval(() => kept.push(Buffer.alloc(8 * 1024 * 1024, 1)), 5);
