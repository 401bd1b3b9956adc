import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Report } from '../../domain/report.ts';
import type { Run } from '../../store/run-store.ts';
import type { App } from '../app-types.ts';
import { audit } from '../audit.ts';
import { Comparison, compareReports } from '../compare-reports.ts';
import type { HttpDeps } from '../http-deps.ts';
import { callerOf, EVERYONE, STAFF } from '../plugins/access.ts';
import { notFound, Problem } from '../problems.ts';
import { fileAnswer, Id, IdParams } from '../schemas/common.ts';
import { RunBody, toRunBody } from '../schemas/runs.ts';
import { visibleRun, visibleSubmission } from '../visible.ts';
import { reportOf } from './reports.ts';

const RunDetail = RunBody.extend({
  challenge: z.object({ slug: z.string(), version: z.number().int() }),
  artifacts: z.array(z.object({ name: z.string(), contentType: z.string(), bytes: z.number().int() })),
  comparison: Comparison.nullable().describe('For re-grades: against the run before'),
}).meta({ id: 'RunDetail' });

/** Runs, what they left behind, and how they differ. */
export function runRoutes(app: App, deps: HttpDeps): void {
  detailRoute(app, deps);
  compareRoute(app, deps);
  fileRoutes(app, deps);
  sourceRoute(app, deps);
}

function detailRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/runs/:id',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'One run; for a re-grade with what changed',
        params: IdParams,
        response: { 200: RunDetail },
      },
    },
    async (request) => {
      const { run, version } = await visibleRun(deps, request, request.params.id);
      const result = await deps.store.runs.result(run.id);
      const before = run.previousRunId === null ? undefined : await deps.store.runs.get(run.previousRunId);
      return {
        ...toRunBody(run),
        challenge: { slug: version.slug, version: version.version },
        artifacts: (result?.artifacts ?? []).map(({ name, contentType, bytes }) => ({
          name,
          contentType,
          bytes,
        })),
        // Deletion of a candidate takes the reports and leaves the runs.
        comparison: before && result?.report ? await compare(deps, before, run) : null,
      };
    },
  );
}

function compareRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/compare',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Two runs side by side: scores, stages, and checks that came out differently',
        querystring: z.strictObject({
          runs: z
            .string()
            .transform((text) => text.split(','))
            .pipe(z.tuple([Id, Id])),
        }),
        response: { 200: Comparison },
      },
    },
    async (request) => {
      const [a, b] = request.query.runs;
      const first = await visibleRun(deps, request, a);
      const second = await visibleRun(deps, request, b);
      return await compare(deps, first.run, second.run);
    },
  );
}

async function compare(deps: HttpDeps, before: Run, after: Run): Promise<z.output<typeof Comparison>> {
  if (before.kind === 'check' || after.kind === 'check') {
    throw new Problem('FORMAT_UNAVAILABLE', 'Checks of a challenge cannot be compared.');
  }
  const [a, b] = await Promise.all([reportOf(deps, before), reportOf(deps, after)]);
  return compareReports(a as Report, b as Report);
}

function fileRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/runs/:id/artifacts/:name',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'A file that a grader left: load figures, exchanges',
        params: IdParams.extend({ name: z.string().regex(/^[\w.-]{1,80}$/) }),
        response: fileAnswer(
          'The file, as a download',
          'application/octet-stream',
          'application/json',
          'text/csv',
        ),
      },
    },
    async (request, reply) => {
      const { run } = await visibleRun(deps, request, request.params.id);
      const result = await deps.store.runs.result(run.id);
      const artifact = result?.artifacts.find(({ name }) => name === request.params.name);
      if (artifact === undefined) {
        throw notFound('artifact');
      }
      return await sendFile(reply, artifact.name, artifact.contentType).send(
        await deps.blobs.open(artifact.blob),
      );
    },
  );
  app.get(
    '/v1/runs/:id/logs/:source',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Log of the build or of the service, as it was kept',
        params: IdParams.extend({ source: z.enum(['build', 'service']) }),
        response: fileAnswer('The log', 'text/plain'),
      },
    },
    async (request, reply) => {
      const { run } = await visibleRun(deps, request, request.params.id);
      const { source } = request.params;
      const result = await deps.store.runs.result(run.id);
      const name = `${source}.log`;
      const whole = result?.artifacts.find((artifact) => artifact.name === name);
      const answer = sendFile(reply, name, 'text/plain; charset=utf-8');
      if (whole !== undefined) {
        return await answer.send(await deps.blobs.open(whole.blob));
      }
      const report = (await reportOf(deps, run)) as Partial<Report>;
      return await answer.send(report[source]?.log ?? '');
    },
  );
}

function sourceRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/submissions/:id/source',
    {
      config: { access: EVERYONE },
      schema: {
        tags: ['reviewer', 'candidate'],
        summary: 'The files that are graded, as a tar',
        params: IdParams,
        response: fileAnswer('The files', 'application/x-tar'),
      },
    },
    async (request, reply) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      if (submission.tarBlob === null) {
        throw notFound('source: it was deleted');
      }
      if (callerOf(request).role !== 'candidate') {
        await audit(deps.store, request, 'source.read', `submission ${submission.id}`);
      }
      const name = `submission-${submission.id}.tar`;
      return await sendFile(reply, name, 'application/x-tar').send(await deps.blobs.open(submission.tarBlob));
    },
  );
}

/** Always as a download: a browser must not show bytes of a stranger as a page of ours. */
function sendFile(reply: FastifyReply, name: string, contentType: string): FastifyReply {
  const shown = /^(?:text\/(?:plain|csv)|application\/(?:json|x-tar|gzip|zip))\b/.test(contentType);
  return reply
    .header('content-disposition', `attachment; filename="${name}"`)
    .type(shown ? contentType : 'application/octet-stream');
}
