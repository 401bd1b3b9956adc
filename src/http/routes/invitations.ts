import { z } from 'zod';
import type { Invitation } from '../../store/access-store.ts';
import type { ChallengeVersion } from '../../store/challenge-store.ts';
import type { App } from '../app-types.ts';
import { audit, audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { newToken } from '../new-token.ts';
import { ADMIN, callerOf, STAFF } from '../plugins/access.ts';
import { notFound, Problem } from '../problems.ts';
import { IdParams, Line, Moment, PageQuery, pageOf, Slug } from '../schemas/common.ts';
import { InvitationBody, toInvitationBody } from '../schemas/invitations.ts';
import { iso } from '../schemas/time.ts';
import { mayKnowCandidate, mayReview } from '../visible.ts';

const HOUR_MS = 3_600_000;
/** Candidates may read their results for so long after the window closed. */
const READING_MS = 90 * 24 * HOUR_MS;
const MAX_COUNT = 1000;

const NewInvitation = z.strictObject({
  challenge: Slug,
  version: z.number().int().min(1).optional().describe('Default: the newest published'),
  candidate: z.strictObject({ name: Line, email: z.email().max(200).nullable().default(null) }),
  opensAt: Moment.optional().describe('Default: now'),
  closesAt: Moment.optional().describe('Default: after the window of the challenge'),
  maxAttempts: z.number().int().min(1).max(MAX_COUNT).optional(),
  maxDryRuns: z.number().int().min(0).max(MAX_COUNT).optional(),
  late: z.enum(['refuse', 'accept-marked']).optional(),
});

const Extension = z
  .strictObject({
    closesAt: Moment.optional(),
    extraAttempts: z.number().int().min(1).max(MAX_COUNT).optional(),
    extraDryRuns: z.number().int().min(1).max(MAX_COUNT).optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected at least one change');

/** Who may hand in what, when and how often. */
export function invitationRoutes(app: App, deps: HttpDeps): void {
  inviteRoute(app, deps);
  readRoutes(app, deps);
  changeRoutes(app, deps);
}

function inviteRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/invitations',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Invite a candidate; their token is shown this once',
        body: NewInvitation,
        response: { 201: InvitationBody.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => {
      const order = request.body;
      const version = await publishedVersion(deps, order.challenge, order.version);
      const { policy } = version;
      const opensAt = order.opensAt === undefined ? deps.clock.now() : new Date(order.opensAt);
      const closesAt =
        order.closesAt === undefined
          ? new Date(opensAt.getTime() + policy.windowMs)
          : new Date(order.closesAt);
      checkWindow(opensAt, closesAt);
      const { token, hash } = newToken('candidate');
      const wanted = {
        candidate: order.candidate,
        versionId: version.id,
        opensAt,
        closesAt,
        maxAttempts: order.maxAttempts ?? policy.max,
        maxDryRuns: order.maxDryRuns ?? policy.dryRuns,
        late: order.late ?? policy.late,
        tokenHash: hash,
        tokenExpiresAt: new Date(closesAt.getTime() + READING_MS),
      };
      const invitation = await audited(
        deps,
        request,
        (store) => store.access.invite(wanted),
        ({ id }) => ['invitation.create', `invitation ${id}`],
      );
      return await reply.code(201).send({ ...toInvitationBody(invitation, true), token });
    },
  );
}

async function publishedVersion(
  deps: HttpDeps,
  slug: string,
  wanted: number | undefined,
): Promise<ChallengeVersion> {
  const version =
    wanted === undefined
      ? await deps.store.challenges.newestPublished(slug)
      : await deps.store.challenges.find(slug, wanted);
  if (
    version === undefined &&
    wanted === undefined &&
    (await deps.store.challenges.versions(slug)).length > 0
  ) {
    throw new Problem('WRONG_STATE', `No version of ${slug} is published.`);
  }
  if (version === undefined) {
    throw notFound(wanted === undefined ? 'challenge' : 'version of a challenge');
  }
  if (version.state !== 'published') {
    throw new Problem('WRONG_STATE', `Version ${version.version} is ${version.state}, not published.`);
  }
  return version;
}

function checkWindow(opensAt: Date, closesAt: Date): void {
  if (closesAt <= opensAt) {
    throw new Problem('INVALID_FIELDS', `body closesAt: expected a moment after ${iso(opensAt)}, the start`);
  }
}

function readRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/invitations',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Invitations, newest first',
        querystring: PageQuery.extend({ challenge: Slug.optional() }),
        response: { 200: pageOf(InvitationBody) },
      },
    },
    async (request) => {
      const { challenge, limit, cursor } = request.query;
      const page = await deps.store.access.listInvitations(
        challenge === undefined ? {} : { slug: challenge },
        {
          limit,
          ...(cursor === undefined ? {} : { cursor }),
        },
      );
      return {
        items: page.items.map((invitation) => toInvitationBody(invitation, true)),
        nextCursor: page.nextCursor,
      };
    },
  );
  app.get(
    '/v1/invitations/:id',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'One invitation',
        params: IdParams,
        response: { 200: InvitationBody },
      },
    },
    async (request) =>
      toInvitationBody(found(await deps.store.access.getInvitation(request.params.id)), true),
  );
}

function changeRoutes(app: App, deps: HttpDeps): void {
  const response = { 200: InvitationBody };
  app.post(
    '/v1/invitations/:id/extend',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Move the end of the window, or grant more attempts or dry runs',
        params: IdParams,
        body: Extension,
        response,
      },
    },
    async (request) => {
      const { closesAt, extraAttempts, extraDryRuns } = request.body;
      const { id } = request.params;
      const end = closesAt === undefined ? undefined : new Date(closesAt);
      if (end !== undefined) {
        checkWindow(found(await deps.store.access.getInvitation(id)).opensAt, end);
      }
      const change = {
        ...(end === undefined ? {} : { closesAt: end }),
        ...(extraAttempts === undefined ? {} : { extraAttempts }),
        ...(extraDryRuns === undefined ? {} : { extraDryRuns }),
      };
      const changed = await audited(
        deps,
        request,
        (store) => store.access.extendInvitation(id, change),
        () => ['invitation.extend', `invitation ${id}`, request.body],
      );
      return toInvitationBody(found(changed), true);
    },
  );
  app.delete(
    '/v1/invitations/:id',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Withdraw an invitation and its token',
        params: IdParams,
        response,
      },
    },
    async (request) => {
      const revoked = await audited(
        deps,
        request,
        (store) => store.access.revokeInvitation(request.params.id),
        ({ id }) => ['invitation.revoke', `invitation ${id}`],
      );
      return toInvitationBody(found(revoked), true);
    },
  );
  releaseRoute(app, deps);
}

function releaseRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/invitations/:id/release',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Show the candidate what is marked after_published',
        params: IdParams,
        response: { 200: InvitationBody },
      },
    },
    async (request) => {
      const { id } = request.params;
      const caller = callerOf(request);
      const invitation = found(await deps.store.access.getInvitation(id));
      if (!mayReview(caller, invitation.slug)) {
        await audit(deps.store, request, 'invitation.denied', `invitation ${id}`);
        throw notFound('invitation');
      }
      const released = found(
        await audited(
          deps,
          request,
          (store) => store.access.releaseFeedback(id),
          () => ['invitation.release', `invitation ${id}`],
        ),
      );
      const version = await deps.store.challenges.get(released.versionId);
      return toInvitationBody(released, mayKnowCandidate(caller, version?.blind ?? true));
    },
  );
}

function found(invitation: Invitation | undefined): Invitation {
  if (invitation === undefined) {
    throw notFound('invitation');
  }
  return invitation;
}
