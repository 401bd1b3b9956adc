import { once } from 'node:events';
import { IntakeError } from '../domain/errors.ts';
import { canonicalTarBytes, canonicalTarChunks } from './canonical-tar.ts';
import type { InspectAnswer, InspectRequest } from './inspect-protocol.ts';
import { inspectSource } from './inspect-source.ts';
import type { ReviewedTree } from './leave-out.ts';

/**
 * The reading process: parses one hostile submission and answers on stdout (inspect-protocol.ts). It writes
 * no file and opens no connection. Anything but an answer, our own mistakes included, ends it with an error.
 */
async function main(request: InspectRequest): Promise<void> {
  let reviewed: ReviewedTree;
  try {
    reviewed = await inspectSource(request.path, request.limits);
  } catch (error) {
    if (!(error instanceof IntakeError)) {
      throw error;
    }
    const { code, message, mend } = error;
    await writeAnswer({ outcome: 'refused', code, message, mend });
    return;
  }
  await writeAccepted(reviewed);
}

async function writeAccepted({ nodes, notices }: ReviewedTree): Promise<void> {
  const files = nodes
    .filter((node) => node.kind === 'file')
    .map(({ path, content, executable }) => ({ path, bytes: content.length, executable }));
  await writeAnswer({ outcome: 'accepted', tarBytes: canonicalTarBytes(nodes), files, notices });
  for (const chunk of canonicalTarChunks(nodes)) {
    await write(chunk);
  }
}

async function writeAnswer(answer: InspectAnswer): Promise<void> {
  await write(Buffer.from(`${JSON.stringify(answer)}\n`));
}

/** Waits for the reader, so that the tar is never held twice. */
async function write(chunk: Buffer): Promise<void> {
  if (!process.stdout.write(chunk)) {
    await once(process.stdout, 'drain');
  }
}

await main(JSON.parse(process.argv[2] ?? '') as InspectRequest);
