import { z } from 'zod';
import { RunStateSchema } from '../../domain/run.ts';
import { VerdictSchema } from '../../domain/verdict.ts';
import type { App } from '../app-types.ts';
import { audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { callerOf, EVERYONE, STAFF } from '../plugins/access.ts';
import { Problem } from '../problems.ts';
import { Flag, IdParams, PageQuery, pageOf, Slug, VersionChoice } from '../schemas/common.ts';
import { RunBody, toOwnRunBody, toRunBody } from '../schemas/runs.ts';
import { SubmissionBody, SummaryBody, toSubmissionBody, toSummaryBody } from '../schemas/submissions.ts';
import { mayKnowCandidate, mayReview, runsOf, visibleSubmission } from '../visible.ts';

const ListQuery = PageQuery.extend({
  challenge: Slug.optional(),
  status: RunStateSchema.optional(),
  verdict: VerdictSchema.optional(),
  minScore: z.coerce.number().min(0).max(100).optional(),
  dryRuns: Flag.default(false),
  sort: z.enum(['newest', 'oldest', 'score']).default('newest'),
});

/** Lists and single submissions, and what can be done with one. */
export function submissionRoutes(app: App, deps: HttpDeps): void {
  listRoute(app, deps);
  oneRoute(app, deps);
  cancelRoute(app, deps);
  regradeRoute(app, deps);
}

function listRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/submissions',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Submissions of the challenges you may see',
        querystring: ListQuery,
        response: { 200: pageOf(SummaryBody) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { limit, cursor, challenge, status, ...rest } = request.query;
      const page = await deps.store.submissions.list(
        {
          challenges: caller.challenges,
          ...(challenge === undefined ? {} : { slug: challenge }),
          ...(status === undefined ? {} : { state: status }),
          ...(rest.verdict === undefined ? {} : { verdict: rest.verdict }),
          ...(rest.minScore === undefined ? {} : { minScore: rest.minScore }),
          dryRuns: rest.dryRuns,
          sort: rest.sort,
        },
        { limit, ...(cursor === undefined ? {} : { cursor }) },
      );
      return {
        items: page.items.map((item) => toSummaryBody(item, mayKnowCandidate(caller, item.blind))),
        nextCursor: page.nextCursor,
      };
    },
  );
}

function oneRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/submissions/:id',
    {
      config: { access: EVERYONE },
      schema: {
        tags: ['candidate', 'reviewer'],
        summary: 'One submission: its receipt and how far it is',
        params: IdParams,
        response: { 200: SubmissionBody },
      },
    },
    async (request) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const { newest } = await runsOf(deps, submission.id);
      const version = await deps.store.challenges.get(submission.versionId);
      const place = newest.state === 'queued' ? await deps.store.runs.positionOf(newest.id) : undefined;
      return toSubmissionBody({
        submission,
        run: newest,
        queuePosition: place === undefined ? null : place + 1,
        showCandidate: mayKnowCandidate(callerOf(request), version?.blind ?? true),
        feedback: callerOf(request).role === 'candidate' ? version?.policy.feedback : 'all',
      });
    },
  );
  app.get(
    '/v1/submissions/:id/runs',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'All runs of a submission, newest first',
        params: IdParams,
        response: { 200: z.object({ items: z.array(RunBody) }) },
      },
    },
    async (request) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const { all } = await runsOf(deps, submission.id);
      return { items: all.map(toRunBody) };
    },
  );
}

function cancelRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/submissions/:id/cancel',
    {
      config: { access: ['candidate', 'admin'] },
      schema: {
        tags: ['candidate'],
        summary:
          'End the newest run of a submission, candidates the one of their upload; the attempt stays used',
        params: IdParams,
        response: { 202: RunBody },
      },
    },
    async (request, reply) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const { newest, all } = await runsOf(deps, submission.id);
      const own = callerOf(request).role === 'candidate';
      // What a reviewer had graded again is the reviewer's.
      const target = own ? all.find(({ kind }) => kind === 'first' || kind === 'dry') : newest;
      const reason = `Canceled by ${own ? 'the candidate' : 'an admin'}.`;
      const canceled =
        target !== undefined &&
        (await audited(
          deps,
          request,
          (store) => store.runs.cancel(target.id, reason),
          () => ['run.cancel', `run ${target.id}`],
        ));
      if (!canceled) {
        throw new Problem('RUN_ENDED', 'There is nothing left to cancel.');
      }
      const run = (await deps.store.runs.get(target.id)) ?? target;
      const version = own ? await deps.store.challenges.get(submission.versionId) : undefined;
      const body = own ? toOwnRunBody(run, version?.policy.feedback) : toRunBody(run);
      return await reply.code(202).send(body);
    },
  );
}

function regradeRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/submissions/:id/runs',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Grade again, against its own or another version; earlier results stay',
        params: IdParams,
        body: VersionChoice,
        response: { 202: RunBody },
      },
    },
    async (request, reply) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const caller = callerOf(request);
      const version = await deps.store.challenges.find(
        submission.slug,
        request.body?.version ?? submission.version,
      );
      if (version === undefined || !mayReview(caller, version.slug)) {
        throw new Problem('NOT_FOUND', 'The challenge has no such version.');
      }
      if (submission.tarBlob === null) {
        throw new Problem('WRONG_STATE', 'The files of this submission were deleted.');
      }
      const run = await audited(
        deps,
        request,
        (store) => store.runs.regrade(submission.id, version.id),
        ({ id }) => ['run.regrade', `submission ${submission.id}`, { run: id }],
      );
      return await reply.code(202).header('location', `/v1/runs/${run.id}`).send(toRunBody(run));
    },
  );
}
