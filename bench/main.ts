// Measurements, side by side in one run: npm run -s bench -- <overhead|load> [--json]
import { runLoadBench } from './load.ts';
import { runOverhead } from './overhead.ts';

const USAGE = `Usage: npm run -s bench -- overhead [--json] [--runs N]
       npm run -s bench -- load [--json] [--rounds N] [--window SECONDS] [--rates 200,1000,2000]`;

const [name, ...args] = process.argv.slice(2);
if (name === 'overhead') {
  await runOverhead(args);
} else if (name === 'load') {
  await runLoadBench(args);
} else {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
}
