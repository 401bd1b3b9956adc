import { pack } from 'tar-stream';
import type { BundleFile } from '../domain/challenge.ts';

/** The tar that is unpacked at /input of a grader: root owns all of it, and everyone may read. */
export async function packInput(files: readonly BundleFile[]): Promise<Buffer> {
  const tar = pack();
  for (const { path, content } of files) {
    tar.entry({ name: path, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, Buffer.from(content));
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
