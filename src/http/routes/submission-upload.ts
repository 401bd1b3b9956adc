import { createReadStream } from 'node:fs';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RuntimeName } from '../../domain/challenge.ts';
import type { App } from '../app-types.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpMetrics } from '../metrics.ts';
import { CANDIDATE, candidateOf } from '../plugins/access.ts';
import { refusalProblem } from '../refusal-problems.ts';
import { Flag } from '../schemas/common.ts';
import type { SubmissionView } from '../schemas/submissions.ts';
import { SubmissionBody, toSubmissionBody } from '../schemas/submissions.ts';
import type { InspectionLine } from '../uploads/inspection-line.ts';
import type { ReceivedUpload } from '../uploads/receive-upload.ts';
import { withUpload } from '../uploads/receive-upload.ts';
import type { UploadSlots } from '../uploads/upload-slots.ts';

const UploadHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 visible ASCII characters')
    .optional()
    .describe('Names this upload: sent again with the same key it is taken once'),
});

export interface UploadParts {
  line: InspectionLine;
  slots: UploadSlots;
  metrics: HttpMetrics;
}

/** The way in: one archive, streamed to disk, read in another process, stored durably, then 202. */
export function submissionUploadRoutes(app: App, deps: HttpDeps, parts: UploadParts): void {
  app.post(
    '/v1/submissions',
    {
      config: { access: CANDIDATE, upload: 'archive' },
      schema: {
        tags: ['candidate'],
        summary: 'Hand in an archive (multipart field "archive": zip, tar or tar.gz)',
        description:
          'A 202 means that the submission is durable and will reach an end. With an Idempotency-Key header the ' +
          'same upload sent again answers the same submission. A dry run runs what candidates may see.',
        headers: UploadHeaders,
        querystring: z.strictObject({ dryRun: Flag.default(false) }),
        response: { 202: SubmissionBody },
      },
    },
    async (request, reply) => {
      const { tokenId } = candidateOf(request);
      const idempotencyKey = request.headers['idempotency-key'];
      const release = parts.slots.take(tokenId);
      try {
        const { uploadDir, uploadBytes } = deps.settings;
        const rules = { field: 'archive', maxBytes: uploadBytes, folder: uploadDir };
        const view = await withUpload(request, rules, async (upload, signal) => {
          parts.metrics.uploaded(upload.bytes);
          const order = { upload, dryRun: request.query.dryRun, idempotencyKey };
          return await accept(request, order, { deps, line: parts.line, signal });
        });
        const body = toSubmissionBody(view);
        return await reply.code(202).header('location', body.links.self).send(body);
      } finally {
        release();
      }
    },
  );
}

interface Order {
  upload: ReceivedUpload;
  dryRun: boolean;
  idempotencyKey: string | undefined;
}

interface Work {
  deps: HttpDeps;
  line: InspectionLine;
  signal: AbortSignal;
}

async function accept(request: FastifyRequest, order: Order, work: Work): Promise<SubmissionView> {
  const { store } = work.deps;
  const { invitationId } = candidateOf(request);
  const { idempotencyKey, upload } = order;
  const bodyDigest = `${upload.digest}${order.dryRun ? ' dry' : ''}`;
  if (idempotencyKey !== undefined) {
    const known = await store.submissions.findByIdempotencyKey(invitationId, idempotencyKey);
    if (known !== undefined && known.bodyDigest !== bodyDigest) {
      throw refusalProblem({ kind: 'idempotency-conflict' });
    }
    if (known !== undefined) {
      return await viewOf(work.deps, known);
    }
  }
  // Everything that holds the unpacked bytes in memory happens in the line, so that memory stays bounded.
  const accepted = await work.line.run(async () => {
    const { deps, signal } = work;
    const submission = await deps.intake(upload.path, deps.settings.uploadBytes, signal);
    deps.checkStart(submission, await runtimesOf(deps, invitationId));
    const tar = await deps.blobs.put(submission.tar);
    const original = await deps.blobs.put(createReadStream(upload.path));
    signal.throwIfAborted();
    return await store.submissions.accept({
      invitationId,
      dryRun: order.dryRun,
      upload: original,
      tar,
      digest: submission.digest,
      files: submission.files,
      notices: submission.notices,
      idempotency: idempotencyKey === undefined ? undefined : { key: idempotencyKey, bodyDigest },
    });
  }, work.signal);
  if (!accepted.ok) {
    throw refusalProblem(accepted.refusal);
  }
  request.log.info({ submission: accepted.submission.id, run: accepted.run.id }, 'submission accepted');
  return await viewOf(work.deps, accepted);
}

/** The runtimes of the invitation's challenge. */
async function runtimesOf({ store }: HttpDeps, invitationId: string): Promise<readonly RuntimeName[]> {
  const invitation = await store.access.getInvitation(invitationId);
  const version = invitation && (await store.challenges.get(invitation.versionId));
  if (version === undefined) {
    throw refusalProblem({ kind: 'unknown' });
  }
  return version.policy.runtimes;
}

async function viewOf(
  deps: HttpDeps,
  { submission, run }: Pick<SubmissionView, 'submission' | 'run'>,
): Promise<SubmissionView> {
  const place = await deps.store.runs.positionOf(run.id);
  const version = await deps.store.challenges.get(submission.versionId);
  return {
    submission,
    run,
    queuePosition: place === undefined ? null : place + 1,
    showCandidate: true,
    feedback: version?.policy.feedback,
  };
}
