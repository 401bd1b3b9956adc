// Starts the service, hands in five sample submissions over REST, and compares the verdicts with the expected ones.
import { join } from 'node:path';
import { EXIT } from '../src/cli/exit-codes.ts';
import { onInterrupt } from '../src/cli/interrupts.ts';
import { readConfig } from '../src/config.ts';
import type { Config } from '../src/config.ts';
import { makeDemoView } from './demo/demo-view.ts';
import { startService } from './demo/service-process.ts';

/** API suites mostly wait, and one of the samples does nothing else; load still has the machine to itself. */
const AT_A_TIME = 3;

async function demo(signal: AbortSignal): Promise<number> {
  const view = makeDemoView(process.stderr);
  const config = readConfig();
  view.say('Starting the service, with a database and a queue of its own …');
  const starting = startService(serviceEnv(config), signal);
  starting.catch(() => undefined);
  // Loading this side takes about as long as the service needs to start.
  const { runDemo } = await import('./demo/run-demo.ts').catch(async (error: unknown) => {
    await starting.then(async ({ stop }) => stop());
    throw error;
  });
  return await runDemo(starting, { view, reports: join(config.home, 'reports'), signal });
}

/** A home, a port, a database and a queue of its own, whatever the service of this machine is set to. */
function serviceEnv({ home, childEnv }: Config): NodeJS.ProcessEnv {
  return {
    ASSAY_SLOTS: String(AT_A_TIME),
    ...childEnv,
    ASSAY_HOME: join(home, 'demo'),
    ASSAY_PORT: undefined,
    ASSAY_LOG_LEVEL: 'error',
    // Only a demo that broke off stops with runs at work, and nobody waits for those.
    ASSAY_DRAIN_SECONDS: '0',
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
  };
}

const controller = new AbortController();
onInterrupt(() => controller.abort(new Error('interrupted')));
try {
  process.exitCode = await demo(controller.signal);
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = controller.signal.aborted ? EXIT.interrupted : EXIT.ours;
}
