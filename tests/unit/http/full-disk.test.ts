import { writeFile } from 'node:fs/promises';
import multipart from '@fastify/multipart';
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { withUnpackedBundle } from '../../../src/challenges/unpack-bundle.ts';
import { diskError } from '../../../src/domain/disk-error.ts';
import { answerError } from '../../../src/http/error-handler.ts';
import { withUpload } from '../../../src/http/uploads/receive-upload.ts';
import { BOUNDARY, fileOf, multipart as bodyOf } from '../../helpers/http-service.ts';

/** No folder: nothing can be made in it. */
const NO_FOLDER = '/dev/null/uploads';
/** A folder, but no file can be made in it, by root neither. */
const CLOSED_FOLDER = '/proc/self/fd';

it('a disk that is full is said to be, and a connection that broke is no fault of the disk', async () => {
  const full = await writeFile('/dev/full', 'x').catch((error: unknown) => diskError(error));
  expect(full).toMatchObject({ code: 'BLOB_FULL', blame: 'infra', mend: 'free space below ASSAY_HOME' });

  const broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
  expect(diskError(broken)).toBe(broken);
  const early = Object.assign(new Error('early'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  expect(diskError(early)).toBe(early);
});

it.each([NO_FOLDER, CLOSED_FOLDER])('an upload to %s is 503, to be tried again', async (folder) => {
  const app = Fastify({ logger: false });
  onTestFinished(() => app.close());
  app.setErrorHandler(answerError);
  await app.register(multipart);
  app.post('/upload', async (request) => {
    const rules = { field: 'archive', maxBytes: 1e6, folder };
    return await withUpload(request, rules, () => Promise.reject(new Error('it was received')));
  });

  const answer = await app.inject({
    method: 'POST',
    url: '/upload',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    payload: bodyOf([fileOf(Buffer.alloc(200_000))]),
  });

  expect({ status: answer.statusCode, body: answer.body }).toMatchObject({ status: 503 });
  expect(answer.json()).toMatchObject({ code: 'UNAVAILABLE' });
  expect(answer.headers['retry-after']).toMatch(/^\d+$/);
  expect(answer.body).not.toContain(folder);
});

it.each([NO_FOLDER, CLOSED_FOLDER])('a bundle unpacked below %s is a fault of the disk', async (folder) => {
  const unpacking = withUnpackedBundle(folder, [], () => Promise.resolve());
  await expect(unpacking).rejects.toMatchObject({ code: 'BLOB_FAILED', blame: 'infra' });
});

it('an error of what is done with a bundle stays what it is', async () => {
  const own = Object.assign(new Error('a file is missing'), { code: 'ENOENT', syscall: 'open' });
  const using = withUnpackedBundle('/tmp', [], () => Promise.reject(own));
  await expect(using).rejects.toBe(own);
});
