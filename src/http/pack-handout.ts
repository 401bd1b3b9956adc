import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { pipeline as copy } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import type { Extract, Pack } from 'tar-stream';

const HANDED_OUT = /^(?:handout\/|statement\.md$|openapi\.(?:ya?ml|json)$)/;

/**
 * What candidates are given of a bundle, as tar.gz: statement, OpenAPI document, starter files. File by file, so that
 * many downloads at once take little memory. A bundle that cannot be read breaks the answer.
 */
export function packHandout(bundle: Readable): Readable {
  const reader = extract();
  const writer = pack();
  const zipped = createGzip();
  function broken(error: unknown): void {
    zipped.destroy(error instanceof Error ? error : new Error('a bundle could not be read'));
  }
  copy(bundle, reader).catch(broken);
  handOut(reader, writer).catch(broken);
  // A reader that goes away ends the reading of the bundle too.
  pipeline(writer, zipped, () => {
    bundle.destroy();
  });
  return zipped;
}

async function handOut(reader: Extract, writer: Pack): Promise<void> {
  for await (const entry of reader) {
    const { name, type, mode, size } = entry.header;
    if (HANDED_OUT.test(name)) {
      await copy(entry, writer.entry({ name, type, mode, size }));
    } else {
      entry.resume();
    }
  }
  writer.finalize();
}
