import { z } from 'zod';
import type { App } from '../app-types.ts';
import { audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { ADMIN, callerOf, STAFF } from '../plugins/access.ts';
import { notFound } from '../problems.ts';
import { SlugParams } from '../schemas/common.ts';
import { toVersionBody, VersionBody } from '../schemas/challenges.ts';
import { readBundle } from '../uploads/receive-bundle.ts';
import { withUpload } from '../uploads/receive-upload.ts';
import { mayReview } from '../visible.ts';
import type { UploadParts } from './submission-upload.ts';

/** Bundles in, and what there is. */
export function challengeRoutes(app: App, deps: HttpDeps, parts: UploadParts): void {
  uploadRoute(app, deps, parts);
  app.get(
    '/v1/challenges',
    {
      config: { access: STAFF },
      schema: {
        tags: ['admin', 'reviewer'],
        summary: 'The newest version of each challenge that you may see',
        response: { 200: z.object({ items: z.array(VersionBody) }) },
      },
    },
    async (request) => {
      const all = await deps.store.challenges.list();
      return { items: all.filter(({ slug }) => mayReview(callerOf(request), slug)).map(toVersionBody) };
    },
  );
  app.get(
    '/v1/challenges/:slug',
    {
      config: { access: STAFF },
      schema: {
        tags: ['admin', 'reviewer'],
        summary: 'All versions of a challenge, newest first',
        params: SlugParams,
        response: { 200: z.object({ items: z.array(VersionBody) }) },
      },
    },
    async (request) => {
      const { slug } = request.params;
      const versions = mayReview(callerOf(request), slug) ? await deps.store.challenges.versions(slug) : [];
      if (versions.length === 0) {
        throw notFound('challenge');
      }
      return { items: versions.toSorted((a, b) => b.version - a.version).map(toVersionBody) };
    },
  );
}

function uploadRoute(app: App, deps: HttpDeps, parts: UploadParts): void {
  app.post(
    '/v1/challenges',
    {
      config: { access: ADMIN, upload: 'bundle' },
      schema: {
        tags: ['admin'],
        summary: 'Upload a challenge (multipart field "bundle": zip, tar or tar.gz)',
        description:
          'Mistakes come back as a problem document whose `problems` name file, line, path and the mend. ' +
          'A bundle whose graded files are those of a known version answers that version, with 200.',
        response: { 200: VersionBody, 201: VersionBody },
      },
    },
    async (request, reply) => {
      const release = parts.slots.take(callerOf(request).tokenId);
      try {
        const { uploadDir, bundleBytes } = deps.settings;
        const rules = { field: 'bundle', maxBytes: bundleBytes, folder: uploadDir };
        const added = await withUpload(request, rules, (upload, signal) =>
          parts.line.run(async () => {
            const inspected = await deps.intake(upload.path, bundleBytes, signal);
            const { tar, version } = await readBundle(inspected.tar, uploadDir);
            const blob = await deps.blobs.put(tar);
            return await audited(
              deps,
              request,
              (store) => store.challenges.addVersion({ ...version, bundleBlob: blob.key }),
              ({ version: { slug, version: number, digest }, created }) => [
                'challenge.upload',
                `${slug} version ${number}`,
                { created, digest },
              ],
            );
          }, signal),
        );
        const { version, created } = added;
        return await reply
          .code(created ? 201 : 200)
          .header('location', `/v1/challenges/${version.slug}/versions/${version.version}`)
          .send(toVersionBody(version));
      } finally {
        release();
      }
    },
  );
}
