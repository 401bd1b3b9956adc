import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CheckReportSchema } from '../../domain/check-report.ts';
import type { Report } from '../../domain/report.ts';
import { ReportSchema } from '../../domain/report.ts';
import { TERMINAL_STATES } from '../../domain/run.ts';
import type { Audience } from '../../report/redact.ts';
import { redact } from '../../report/redact.ts';
import type { Run } from '../../store/run-store.ts';
import type { Submission } from '../../store/submission-store.ts';
import type { App } from '../app-types.ts';
import type { HttpDeps } from '../http-deps.ts';
import { callerOf, EVERYONE, STAFF } from '../plugins/access.ts';
import { notFound, Problem } from '../problems.ts';
import type { ReportFormat } from '../report-formats.ts';
import { RENDERERS, REPORT_POLICY, ReportFormat as Format } from '../report-formats.ts';
import { fileAnswer, IdParams } from '../schemas/common.ts';
import { runsOf, visibleRun, visibleSubmission } from '../visible.ts';

const ReportQuery = z.strictObject({ format: Format.default('json') });
const EXTENSIONS = { json: 'json', html: 'html', md: 'md', junit: 'xml', csv: 'csv' } as const;
const OTHER_TYPES = Object.entries(RENDERERS)
  .filter(([format]) => format !== 'json')
  .map(([, { contentType }]) => contentType.replace(/;.*/, ''));
const { description, content } = fileAnswer('The report, by format', ...OTHER_TYPES)[200];

function reportAnswer(schema: z.ZodType) {
  return { 200: { description, content: { 'application/json': { schema }, ...content } } };
}

/** Reports, to everybody what they may see. */
export function reportRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/submissions/:id/report',
    {
      config: { access: EVERYONE },
      schema: {
        tags: ['candidate', 'reviewer'],
        summary: 'Report of the newest graded run; candidates see what the challenge allows',
        params: IdParams,
        querystring: ReportQuery,
        response: reportAnswer(ReportSchema),
      },
    },
    async (request, reply) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const { newest, graded } = await runsOf(deps, submission.id);
      const audience = await audienceOf(deps, request, submission);
      return await sendReport({ deps, run: graded ?? newest, audience, format: request.query.format }, reply);
    },
  );
  app.get(
    '/v1/runs/:id/report',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Report of one run, in full',
        params: IdParams,
        querystring: ReportQuery,
        response: reportAnswer(z.union([ReportSchema, CheckReportSchema])),
      },
    },
    async (request, reply) => {
      const { run } = await visibleRun(deps, request, request.params.id);
      const audience = { role: 'reviewer' } as const;
      return await sendReport({ deps, run, audience, format: request.query.format }, reply);
    },
  );
}

async function audienceOf(
  deps: HttpDeps,
  request: FastifyRequest,
  submission: Submission,
): Promise<Audience> {
  if (callerOf(request).role !== 'candidate') {
    return { role: 'reviewer' };
  }
  const [version, invitation] = await Promise.all([
    deps.store.challenges.get(submission.versionId),
    deps.store.access.getInvitation(submission.invitationId),
  ]);
  if (version === undefined || invitation === undefined) {
    throw notFound('submission');
  }
  return {
    role: 'candidate',
    feedback: version.policy.feedback,
    due: deps.clock.now() > invitation.closesAt,
    released: invitation.releasedAt !== null,
  };
}

interface ReportOrder {
  deps: HttpDeps;
  run: Run;
  audience: Audience;
  format: ReportFormat;
}

async function sendReport(
  { deps, run, audience, format }: ReportOrder,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const report = await reportOf(deps, run, audience.role === 'reviewer');
  const { contentType, render } = RENDERERS[format];
  if (run.kind === 'check') {
    if (format !== 'json') {
      throw new Problem('FORMAT_UNAVAILABLE', 'The report of a challenge check comes as json.');
    }
    return await reply.type(contentType).send(JSON.stringify(report));
  }
  const text = render(redact(report as Report, audience));
  if (format === 'html') {
    void reply.header('content-security-policy', REPORT_POLICY);
  }
  const disposition = format === 'html' || format === 'json' ? 'inline' : 'attachment';
  void reply.header(
    'content-disposition',
    `${disposition}; filename="report-${run.id}.${EXTENSIONS[format]}"`,
  );
  return await reply.type(contentType).send(text);
}

/** The stored report; RUN_NOT_ENDED before there is one. Why there is none may not be for everybody to know. */
export async function reportOf(deps: HttpDeps, run: Run, showReason = true): Promise<object> {
  const result = await deps.store.runs.result(run.id);
  if (result?.report) {
    return result.report;
  }
  if (!TERMINAL_STATES.has(run.state)) {
    throw new Problem('RUN_NOT_ENDED', `The run is ${run.state}.`);
  }
  const reason = showReason ? (run.reason ?? '') : '';
  throw new Problem('NOT_FOUND', `The run ended as ${run.state} without a report. ${reason}`.trim());
}
