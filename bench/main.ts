// Measurements, side by side in one run: npm run -s bench -- overhead [--json]
import { runOverhead } from './overhead.ts';

const USAGE = 'Usage: npm run -s bench -- overhead [--json] [--runs N]';

const [name, ...args] = process.argv.slice(2);
if (name === 'overhead') {
  await runOverhead(args);
} else {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
}
