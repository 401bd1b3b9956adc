import { z } from 'zod';
import { RoleSchema } from '../../domain/access.ts';
import type { App } from '../app-types.ts';
import type { HttpDeps } from '../http-deps.ts';
import { packHandout } from '../pack-handout.ts';
import { CANDIDATE, callerOf, candidateOf, EVERYONE } from '../plugins/access.ts';
import { notFound } from '../problems.ts';
import { fileAnswer } from '../schemas/common.ts';
import { InvitationBody, toInvitationBody } from '../schemas/invitations.ts';
import { RunBody, toOwnRunBody } from '../schemas/runs.ts';
import { iso } from '../schemas/time.ts';

const MeBody = z
  .object({
    role: RoleSchema,
    name: z.string(),
    challenges: z.array(z.string()).nullable().describe('What a reviewer may see; null = all'),
    invitation: InvitationBody.nullable(),
    challenge: z.object({ slug: z.string(), title: z.string() }).nullable(),
    submissions: z.array(
      z.object({
        id: z.string(),
        attempt: z.number().int(),
        dryRun: z.boolean(),
        late: z.boolean(),
        createdAt: z.string(),
        run: RunBody,
      }),
    ),
  })
  .meta({ id: 'Me' });

/** Who you are here, and what you were given. */
export function meRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/me',
    {
      config: { access: EVERYONE },
      schema: {
        tags: ['candidate', 'reviewer', 'admin'],
        summary: 'Who this token is; for candidates their window, attempts left, and submissions',
        response: { 200: MeBody },
      },
    },
    async (request) => {
      const { role, name, challenges, invitationId } = callerOf(request);
      const own = invitationId === null ? undefined : await ownPart(deps, invitationId);
      return {
        role,
        name,
        challenges: challenges && [...challenges],
        ...(own ?? { invitation: null, challenge: null, submissions: [] }),
      };
    },
  );
  handoutRoute(app, deps);
}

async function ownPart(
  deps: HttpDeps,
  invitationId: string,
): Promise<Pick<z.output<typeof MeBody>, 'invitation' | 'challenge' | 'submissions'>> {
  const invitation = await deps.store.access.getInvitation(invitationId);
  const version = invitation && (await deps.store.challenges.get(invitation.versionId));
  if (invitation === undefined || version === undefined) {
    throw notFound('invitation');
  }
  const submissions = await deps.store.submissions.listOfInvitation(invitationId);
  return {
    invitation: toInvitationBody(invitation, true),
    challenge: { slug: version.slug, title: version.title },
    submissions: submissions.map(({ submission, run }) => ({
      id: submission.id,
      attempt: submission.attempt,
      dryRun: submission.dryRun,
      late: submission.late,
      createdAt: iso(submission.createdAt),
      run: toOwnRunBody(run, version.policy.feedback),
    })),
  };
}

function handoutRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/me/handout',
    {
      config: { access: CANDIDATE },
      schema: {
        tags: ['candidate'],
        summary: 'The statement, the OpenAPI document and the starter files, as tar.gz',
        response: fileAnswer('The handout', 'application/gzip'),
      },
    },
    async (request, reply) => {
      const invitation = await deps.store.access.getInvitation(candidateOf(request).invitationId);
      const version = invitation && (await deps.store.challenges.get(invitation.versionId));
      if (version === undefined) {
        throw notFound('invitation');
      }
      const bundle = await deps.blobs.open(version.bundleBlob);
      return await reply
        .header('content-disposition', `attachment; filename="${version.slug}-handout.tar.gz"`)
        .type('application/gzip')
        .send(packHandout(bundle));
    },
  );
}
