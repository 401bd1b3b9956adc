import { copyFileSync } from 'node:fs';

// Worked on the author's machine: src/ was never handed in.
copyFileSync('src/server.js', 'dist/server.js');
