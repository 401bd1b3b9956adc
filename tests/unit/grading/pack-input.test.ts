import { extract } from 'tar-stream';
import { expect, it } from 'vitest';
import { packInput } from '../../../src/grading/pack-input.ts';

it('packs the files of a task as root owns them and everyone may read them', async () => {
  const content = new TextEncoder().encode('x = 1\n');
  const tar = extract();
  tar.end(await packInput([{ path: 'hidden/locustfile.py', content }]));

  const found = [];
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) {
      chunks.push(chunk as Buffer);
    }
    found.push([entry.header.name, entry.header.mode, entry.header.uid, Buffer.concat(chunks).toString()]);
  }
  expect(found).toEqual([['hidden/locustfile.py', 0o644, 0, 'x = 1\n']]);
});
