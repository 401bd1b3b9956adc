import { EXIT } from './cli/exit-codes.ts';
import type { GradeIo } from './cli/grade-command.ts';
import { onInterrupt } from './cli/interrupts.ts';
import type { Grading } from './compose.ts';
import { readConfig } from './config.ts';
import type { Config } from './config.ts';
import { AssayError } from './domain/errors.ts';
import type { EngineAccess } from './open-engine.ts';
import type { ServiceUrls } from './open-services.ts';
import { visibleBlock } from './report/text-safety.ts';

const HELP_WORDS: ReadonlySet<string> = new Set(['help', '--help', '-h']);

/**
 * Runs one command and answers its exit code. Each command loads what it needs and no more: most of the time that a
 * short one takes is loading.
 */
async function main(args: string[], signal: AbortSignal): Promise<number> {
  const [command, ...rest] = args;
  if (command === undefined || args.some((word) => HELP_WORDS.has(word))) {
    const { helpFor, USAGE } = await import('./cli/help.ts');
    const help = command === undefined ? USAGE : helpFor(args);
    if (command === undefined || help !== undefined) {
      process.stdout.write(`${help}\n`);
      return command === undefined ? EXIT.refused : EXIT.passed;
    }
  }
  const config = readConfig();
  const io = { stdout: process.stdout, stderr: process.stderr, color: config.color && process.stdout.isTTY };
  switch (command) {
    case 'grade': {
      const { parseGradeOptions, runGradeCommand } = await import('./cli/grade-command.ts');
      const options = parseGradeOptions(rest);
      return await runGradeCommand(options, () => openGrading(config, options.runtime), io, signal);
    }
    case 'check': {
      const { parseCheckOptions, runCheckCommand } = await import('./cli/check-command.ts');
      return await runCheckCommand(parseCheckOptions(rest), () => openGrading(config), io, signal);
    }
    case 'import':
      return await (await import('./cli/import-command.ts')).runImport(rest, io);
    case 'load':
      return await (await import('./cli/load-command.ts')).runLoadCommand(rest, process.stdout);
    case 'submit': {
      const { parseSubmitOptions, runSubmitCommand } = await import('./cli/submit-command.ts');
      const defaults = { url: config.serviceUrl, token: config.serviceToken };
      return await runSubmitCommand(parseSubmitOptions(rest, defaults), io, signal);
    }
    case 'schema':
      return (await import('./cli/schema-command.ts')).runSchema(rest, io);
    default:
      return await runHostCommand(command, rest, config, io, signal);
  }
}

async function openGrading(config: Config, runtime = config.runtime): Promise<Grading> {
  return await (await import('./compose.ts')).openGrading(config, runtime);
}

/** The commands of the host and of the service that runs on it. */
async function runHostCommand(
  command: string,
  args: string[],
  config: Config,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  switch (command) {
    case 'doctor': {
      const { runDoctor } = await import('./cli/doctor-command.ts');
      return await runDoctor(() => openGrading({ ...config, warmPods: 0 }), io, signal);
    }
    case 'clean': {
      const { runClean } = await import('./cli/clean-command.ts');
      return await runClean(await openEngineAccess(config), io);
    }
    case 'setup': {
      const { runSetup } = await import('./cli/setup-command.ts');
      const options = { all: args.includes('--all'), home: config.home };
      return await runSetup(await openEngineAccess(config), options, io, signal);
    }
    case 'services': {
      const { runServices } = await import('./cli/services-command.ts');
      return await runServices(args, config, io);
    }
    case 'serve': {
      const { runServe } = await import('./cli/serve-command.ts');
      return await runServe(config, { worker: !args.includes('--no-worker') }, io, signal);
    }
    case 'worker': {
      const supervised = args.includes('--supervised');
      const urls = supervised ? undefined : await startServices(config, signal);
      const { runWorker } = await import('./cli/worker-command.ts');
      return await runWorker(config, { ...urls }, io, signal);
    }
    case 'token':
      return await (await import('./cli/token-command.ts')).runToken(args, config, io, signal);
    default: {
      const { USAGE } = await import('./cli/help.ts');
      throw new AssayError('USAGE', 'spec', `there is no command "${command}"`, { mend: `\n\n${USAGE}` });
    }
  }
}

/** Database and queue start while the rest of the program is loaded. */
async function startServices(config: Config, signal: AbortSignal): Promise<{ urls: Promise<ServiceUrls> }> {
  const urls = (await import('./open-services.ts')).findUrls(config, signal);
  urls.catch(() => undefined);
  return { urls };
}

async function openEngineAccess(config: Config): Promise<EngineAccess> {
  return await (await import('./open-engine.ts')).openEngineAccess(config);
}

/** One Ctrl-C cancels and cleans up; a second one ends the process, and the guard cleans up instead. */
function listenForInterrupts(controller: AbortController, command: string | undefined): void {
  // The worker of a service is told to stop by the service, which has said so.
  const farewell = { serve: 'stopping: runs at work are given a moment …\n', worker: '' }[command ?? ''];
  onInterrupt(() => {
    process.stderr.write(farewell ?? '\ninterrupted: cleaning up …\n');
    controller.abort(new AssayError('INTERRUPTED', 'infra', 'interrupted'));
  });
}

function explain(error: unknown, interrupted: boolean): number {
  if (interrupted) {
    return EXIT.interrupted;
  }
  if (!(error instanceof AssayError)) {
    process.stderr.write(
      `assay: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.ours;
  }
  const mend = error.mend === undefined ? '' : `\n  ${error.mend}`;
  process.stderr.write(visibleBlock(`assay: ${error.code}: ${error.message}${mend}\n`));
  return error.blame === 'infra' ? EXIT.ours : EXIT.refused;
}

const controller = new AbortController();
const [, , ...args] = process.argv;
listenForInterrupts(controller, args[0]);
try {
  process.exitCode = await main(args, controller.signal);
} catch (error) {
  process.exitCode = explain(error, controller.signal.aborted);
}
