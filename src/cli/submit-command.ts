import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import type { AssayError } from '../domain/errors.ts';
import { ReportSchema } from '../domain/report.ts';
import { inspectSubmission } from '../intake/inspect-submission.ts';
import { renderSummary } from '../report/render/terminal.ts';
import { visibleLine } from '../report/text-safety.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { makeServiceClient } from './service-client.ts';
import type { ServiceClient } from './service-client.ts';
import { makeSubmitView } from './submit-view.ts';
import { readArguments, usageError } from './read-arguments.ts';

export const SUBMIT_USAGE = `assay submit <directory or archive> --url <service> --token <token> [--dry-run]

  --url URL         the service; or ASSAY_URL
  --token TOKEN     your invitation's token; better in ASSAY_TOKEN, where no list of processes shows it
  --dry-run         only what you may see; costs no attempt`;

export interface SubmitOptions {
  submission: string;
  url: string;
  token: string;
  dryRun: boolean;
}

/** Reads the command line of `assay submit`; what it does not name comes from the environment. Throws `USAGE`. */
export function parseSubmitOptions(
  args: string[],
  defaults: { url: string | undefined; token: string | undefined },
): SubmitOptions {
  const { values, positionals } = readArguments(
    args,
    { url: { type: 'string' }, token: { type: 'string' }, 'dry-run': { type: 'boolean' } },
    SUBMIT_USAGE,
  );
  const [submission, ...more] = positionals;
  const url = values.url ?? defaults.url;
  const token = values.token ?? defaults.token;
  if (submission === undefined || more.length > 0 || url === undefined || token === undefined) {
    throw usage('name one submission, the service and your token');
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usage(`--url takes an http address, not "${url}"`);
  }
  return { submission, url, token, dryRun: values['dry-run'] ?? false };
}

function usage(message: string): AssayError {
  return usageError(message, SUBMIT_USAGE);
}

const Accepted = z.object({
  id: z.string(),
  attempt: z.number(),
  late: z.boolean(),
  receipt: z.object({
    digest: z.string(),
    files: z.array(z.unknown()),
    notices: z.array(z.string()),
  }),
  links: z.object({ self: z.string(), events: z.string(), report: z.string() }),
});

/** Hands a submission in, follows its grading, prints the verdict. Answers the exit code, as `grade` would. */
export async function runSubmitCommand(
  options: SubmitOptions,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const { fileName, content } = await pack(options.submission, signal);
  const client = makeServiceClient(options);
  const view = makeSubmitView(io.stderr, content.length);
  try {
    const answer = await client.upload(
      {
        path: `/v1/submissions?dryRun=${options.dryRun}`,
        field: 'archive',
        fileName,
        content,
        onProgress: view.uploaded,
      },
      signal,
    );
    const accepted = Accepted.parse(answer);
    view.say(describe(accepted, options.dryRun));
    await client.follow(accepted.links.events, view.event, signal);
    view.end();
    return await printReport(client, accepted.links, options, io);
  } finally {
    view.end();
  }
}

/** A folder is packed here; either is read as the service will read it, so that a refusal costs no upload. */
async function pack(path: string, signal: AbortSignal): Promise<{ fileName: string; content: Buffer }> {
  const inspected = await inspectSubmission({ path }, {}, signal);
  const isFolder = (await stat(path)).isDirectory();
  return isFolder
    ? { fileName: 'submission.tar.gz', content: await promisify(gzip)(inspected.tar) }
    : { fileName: basename(path).replace(/[^\w.-]/g, '_'), content: await readFile(path) };
}

function describe({ id, attempt, late, receipt }: z.output<typeof Accepted>, dryRun: boolean): string[] {
  return [
    `Accepted: ${dryRun ? 'dry run' : 'attempt'} ${attempt}${late ? ', late' : ''}, ${receipt.files.length} files`,
    `  submission ${id}`,
    `  ${receipt.digest}`,
    ...receipt.notices.map((notice) => `  note: ${visibleLine(notice)}`),
  ];
}

async function printReport(
  client: ServiceClient,
  links: { self: string; report: string },
  options: SubmitOptions,
  io: GradeIo,
): Promise<number> {
  const { run } = z
    .object({ run: z.object({ state: z.string(), reason: z.string().nullable() }) })
    .parse(await client.call('GET', links.self));
  if (run.state !== 'completed') {
    const reason = run.reason === null ? '' : ` ${visibleLine(run.reason)}`;
    io.stdout.write(`The run is ${run.state}.${reason}\n`);
    return run.state === 'canceled' ? EXIT.interrupted : EXIT.ours;
  }
  const report = ReportSchema.parse(await client.call('GET', links.report));
  const page = `${options.url.replace(/\/+$/, '')}${links.report}?format=html (with your token)`;
  io.stdout.write(
    renderSummary(report, { color: io.color, width: io.stderr.columns || 100, reportPath: page }),
  );
  return exitCodeOf(report);
}
