import type { Config } from '../config.ts';
import { AssayError } from '../domain/errors.ts';
import { openServicesHost } from '../open-services.ts';
import { listServices, resetServices, stopServices } from '../services/own-services.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { readArguments } from './read-arguments.ts';

export const SERVICES_USAGE = `assay services status        the Postgres and Redis that assay runs for this installation
assay services stop          stop them; their data stays
assay services reset --yes   remove them with all submissions, results and tokens`;

/** Shows, stops or removes this installation's own services. */
export async function runServices(args: string[], config: Config, io: GradeIo): Promise<number> {
  const options = { yes: { type: 'boolean', default: false } } as const;
  const { positionals, values } = readArguments(args, options, SERVICES_USAGE);
  const host = await openServicesHost(config);
  switch (positionals[0] ?? 'none') {
    case 'status': {
      for (const { name, state } of await listServices(host)) {
        const words = state?.running === true ? `runs on 127.0.0.1:${state.port}` : 'is stopped';
        io.stdout.write(`${name} ${state ? words : 'does not exist'}\n`);
      }
      return EXIT.passed;
    }
    case 'stop': {
      const stopped = await stopServices(host);
      io.stdout.write(stopped.length === 0 ? 'Nothing ran.\n' : `Stopped ${stopped.join(' and ')}.\n`);
      return EXIT.passed;
    }
    case 'reset': {
      if (!values.yes) {
        const mend = 'say "assay services reset --yes" if that is what you want';
        throw new AssayError('USAGE', 'spec', 'this removes all submissions, results and tokens', { mend });
      }
      await resetServices(host);
      io.stdout.write('Removed the services and their data.\n');
      return EXIT.passed;
    }
    default:
      throw new AssayError('USAGE', 'spec', 'say what to do with the services', {
        mend: `\n\n${SERVICES_USAGE}`,
      });
  }
}
