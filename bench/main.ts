// Measurements, side by side in one run: npm run -s bench -- <overhead|load|load-spread|service> [--json]
import { runLoadBench } from './load.ts';
import { runLoadSpread } from './load-spread.ts';
import { runOverhead } from './overhead.ts';
import { runServiceBench } from './service.ts';

const USAGE = `Usage: npm run -s bench -- overhead [--json] [--runs N]
       npm run -s bench -- load [--json] [--only throughput|accuracy] [--rounds N] [--window SECONDS] [--rates 200,1000,2000] [--servers constant,stall]
       npm run -s bench -- load-spread [--json] [--runs 10]
       npm run -s bench -- service [--json] [--only uploads|pages] [--uploads N] [--runs N]`;

const [name, ...args] = process.argv.slice(2);
if (name === 'overhead') {
  await runOverhead(args);
} else if (name === 'load') {
  await runLoadBench(args);
} else if (name === 'load-spread') {
  await runLoadSpread(args);
} else if (name === 'service') {
  await runServiceBench(args);
} else {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
}
