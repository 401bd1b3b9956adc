import type { GraderEvent } from '../../src/domain/grader-protocol.ts';

/** Base64 of it fits into a line of the protocol with room for the rest of the event. */
const PART_BYTES = 128 * 1024;

/** Hands a file over to reviewers, in as many events as it takes. */
export async function emitArtifact(
  emit: (event: GraderEvent) => Promise<void>,
  file: { name: string; contentType: string; content: Buffer },
): Promise<void> {
  const { name, contentType, content } = file;
  for (let offset = 0; offset === 0 || offset < content.length; offset += PART_BYTES) {
    const base64 = content.subarray(offset, offset + PART_BYTES).toString('base64');
    await emit({ event: 'artifact', name, contentType, base64, ...(offset > 0 ? { append: true } : {}) });
  }
}
