import { parseCheckOptions, runCheckCommand } from './cli/check-command.ts';
import { runClean } from './cli/clean-command.ts';
import { runDoctor } from './cli/doctor-command.ts';
import { EXIT } from './cli/exit-codes.ts';
import { parseGradeOptions, runGradeCommand } from './cli/grade-command.ts';
import type { GradeIo } from './cli/grade-command.ts';
import { helpFor, USAGE } from './cli/help.ts';
import { runImport } from './cli/import-command.ts';
import { runLoadCommand } from './cli/load-command.ts';
import { runSchema } from './cli/schema-command.ts';
import { runServe } from './cli/serve-command.ts';
import { runServices } from './cli/services-command.ts';
import { runSetup } from './cli/setup-command.ts';
import { parseSubmitOptions, runSubmitCommand } from './cli/submit-command.ts';
import { runToken } from './cli/token-command.ts';
import { runWorker } from './cli/worker-command.ts';
import { openEngineAccess, openGrading } from './compose.ts';
import { readConfig } from './config.ts';
import type { Config } from './config.ts';
import { AssayError } from './domain/errors.ts';
import { visibleBlock } from './report/text-safety.ts';

/** Runs one command and answers its exit code. */
async function main(args: string[], signal: AbortSignal): Promise<number> {
  const [command, ...rest] = args;
  const help = command === undefined ? USAGE : helpFor(args);
  if (command === undefined || help !== undefined) {
    process.stdout.write(`${help}\n`);
    return command === undefined ? EXIT.refused : EXIT.passed;
  }
  const config = readConfig();
  const io = { stdout: process.stdout, stderr: process.stderr, color: config.color && process.stdout.isTTY };
  switch (command) {
    case 'grade': {
      const options = parseGradeOptions(rest);
      return await runGradeCommand(options, () => openGrading(config, options.runtime), io, signal);
    }
    case 'check':
      return await runCheckCommand(parseCheckOptions(rest), () => openGrading(config), io, signal);
    case 'import':
      return await runImport(rest, io);
    case 'load':
      return await runLoadCommand(rest, process.stdout);
    case 'submit': {
      const defaults = { url: config.serviceUrl, token: config.serviceToken };
      return await runSubmitCommand(parseSubmitOptions(rest, defaults), io, signal);
    }
    case 'doctor':
      return await runDoctor(() => openGrading({ ...config, warmPods: 0 }), io, signal);
    case 'clean':
      return await runClean(await openEngineAccess(config), io);
    case 'setup':
      return await runSetup(
        await openEngineAccess(config),
        { all: rest.includes('--all'), home: config.home },
        io,
        signal,
      );
    case 'schema':
      return runSchema(rest, io);
    default:
      return await runServiceCommand(command, rest, config, io, signal);
  }
}

/** The commands of the service and of the host that it runs on. */
async function runServiceCommand(
  command: string,
  args: string[],
  config: Config,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  switch (command) {
    case 'serve':
      return await runServe(config, { worker: !args.includes('--no-worker') }, io, signal);
    case 'worker':
      return await runWorker(config, { untilStdinEnds: args.includes('--until-stdin-ends') }, io, signal);
    case 'services':
      return await runServices(args, config, io);
    case 'token':
      return await runToken(args, config, io, signal);
    default:
      throw new AssayError('USAGE', 'spec', `there is no command "${command}"`, { mend: `\n\n${USAGE}` });
  }
}

/** One Ctrl-C cancels and cleans up; a second one ends the process, and the guard cleans up instead. */
function listenForInterrupts(controller: AbortController, command: string | undefined): void {
  // The worker of a service is told to stop by the service, which has said so.
  const farewell = { serve: 'stopping: runs at work are given a moment …\n', worker: '' }[command ?? ''];
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      process.stderr.write(farewell ?? '\ninterrupted: cleaning up …\n');
      controller.abort(new AssayError('INTERRUPTED', 'infra', 'interrupted'));
    });
  }
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
