import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ChallengeVersion } from '../../store/challenge-store.ts';
import type { App } from '../app-types.ts';
import { audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { ADMIN, callerOf, STAFF } from '../plugins/access.ts';
import { notFound, Problem } from '../problems.ts';
import { toVersionBody, VersionBody } from '../schemas/challenges.ts';
import { Flag, SlugParams, VersionChoice, VersionParams } from '../schemas/common.ts';
import { RunBody, toRunBody } from '../schemas/runs.ts';
import { mayReview } from '../visible.ts';

/** The life of a version: draft, checked, published, retired; and grading everybody again. */
export function challengeVersionRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/challenges/:slug/versions/:version',
    {
      config: { access: STAFF },
      schema: {
        tags: ['admin', 'reviewer'],
        summary: 'One version of a challenge',
        params: VersionParams,
        response: { 200: VersionBody },
      },
    },
    async (request) => toVersionBody(await findVersion(deps, request, request.params)),
  );
  checkRoute(app, deps);
  cancelCheckRoute(app, deps);
  publishRoute(app, deps);
  retireRoute(app, deps);
  regradeAllRoute(app, deps);
}

async function findVersion(
  deps: HttpDeps,
  request: FastifyRequest,
  { slug, version }: { slug: string; version: number },
): Promise<ChallengeVersion> {
  const found = mayReview(callerOf(request), slug)
    ? await deps.store.challenges.find(slug, version)
    : undefined;
  if (found === undefined) {
    throw notFound('version of a challenge');
  }
  return found;
}

function checkRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/challenges/:slug/versions/:version/check',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Queue the check that publishing asks for: references in full, broken samples exact',
        description:
          'Answers the run of the check, the same one while it goes on. Its events are not streamed: ' +
          'GET /v1/runs/:id says how far it is, GET /v1/runs/:id/report what was found. ' +
          'Submissions go first: between two gradings a check gives way to all that wait.',
        params: VersionParams,
        response: { 202: RunBody },
      },
    },
    async (request, reply) => {
      const version = await findVersion(deps, request, request.params);
      const run = await audited(
        deps,
        request,
        (store) => store.runs.check(version.id),
        ({ id }) => ['challenge.check', nameOf(version), { run: id }],
      );
      return await reply.code(202).header('location', `/v1/runs/${run.id}`).send(toRunBody(run));
    },
  );
}

function cancelCheckRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/challenges/:slug/versions/:version/check/cancel',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'End the check that is queued or running, within seconds; an earlier result stays',
        params: VersionParams,
        response: { 202: RunBody },
      },
    },
    async (request, reply) => {
      const version = await findVersion(deps, request, request.params);
      const going = await deps.store.runs.checkOf(version.id);
      const canceled =
        going !== undefined &&
        (await audited(
          deps,
          request,
          (store) => store.runs.cancel(going.id, 'Canceled by an admin.'),
          () => ['challenge.check-cancel', nameOf(version), { run: going.id }],
        ));
      if (!canceled) {
        throw new Problem('RUN_ENDED', 'No check of this version is queued or running.');
      }
      return await reply.code(202).send(toRunBody((await deps.store.runs.get(going.id)) ?? going));
    },
  );
}

function publishRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/challenges/:slug/versions/:version/publish',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Open a version for invitations; needs a passing check, or force=true, which is audited',
        params: VersionParams,
        querystring: z.strictObject({ force: Flag.default(false) }),
        response: { 200: VersionBody },
      },
    },
    async (request) => {
      const version = await findVersion(deps, request, request.params);
      const { force } = request.query;
      if (version.check?.ok !== true && !force) {
        const detail = version.check ? 'Its newest check did not pass.' : 'It was not checked yet.';
        throw new Problem('CHECK_REQUIRED', `${detail} Check it, or publish with force=true.`);
      }
      const published = await audited(
        deps,
        request,
        (store) => store.challenges.setState(version.id, ['draft'], 'published'),
        () => ['challenge.publish', nameOf(version), { forced: version.check?.ok !== true }],
      );
      return toVersionBody(published ?? wrongState(version, 'draft'));
    },
  );
}

function retireRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/challenges/:slug/versions/:version/retire',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'No new invitations for a version; those that exist go on',
        params: VersionParams,
        response: { 200: VersionBody },
      },
    },
    async (request) => {
      const version = await findVersion(deps, request, request.params);
      const retired = await audited(
        deps,
        request,
        (store) => store.challenges.setState(version.id, ['draft', 'published'], 'retired'),
        () => ['challenge.retire', nameOf(version)],
      );
      return toVersionBody(retired ?? wrongState(version, 'draft or published'));
    },
  );
}

function wrongState({ state }: ChallengeVersion, needed: string): never {
  throw new Problem('WRONG_STATE', `The version is ${state}, not ${needed}.`);
}

function regradeAllRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/challenges/:slug/regrade',
    {
      config: { access: ['admin', 'reviewer'] },
      schema: {
        tags: ['reviewer'],
        summary:
          'Grade every counted submission of a challenge again, by default against the newest published version',
        params: SlugParams,
        body: VersionChoice,
        response: { 202: z.object({ queued: z.number().int(), version: z.number().int() }) },
      },
    },
    async (request, reply) => {
      const { slug } = request.params;
      const wanted = request.body?.version;
      const version =
        wanted === undefined
          ? await deps.store.challenges.newestPublished(slug)
          : await deps.store.challenges.find(slug, wanted);
      if (version === undefined || !mayReview(callerOf(request), slug)) {
        throw notFound('version of a challenge');
      }
      const queued = await audited(
        deps,
        request,
        (store) => store.runs.regradeAll(slug, version.id),
        (runs) => ['challenge.regrade', nameOf(version), { queued: runs }],
      );
      return await reply.code(202).send({ queued, version: version.version });
    },
  );
}

function nameOf({ slug, version }: ChallengeVersion): string {
  return `${slug} version ${version}`;
}
