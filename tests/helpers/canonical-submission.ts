import { packTar, type TarEntry } from '../../src/shared/tar-buffer.ts';

/** A submission with the given files, as intake would hand it on: sorted, with the folders that paths imply. */
export function submissionOf(files: Readonly<Record<string, string | Buffer>>): { tar: Buffer } {
  const folders = new Set<string>();
  for (const path of Object.keys(files)) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      folders.add(path.slice(0, end));
    }
  }
  const entries: TarEntry[] = [
    ...[...folders].map(
      (path): TarEntry => ({ path, type: 'directory', executable: false, content: Buffer.alloc(0) }),
    ),
    ...Object.entries(files).map(
      ([path, content]): TarEntry => ({
        path,
        type: 'file',
        executable: false,
        content: Buffer.from(content),
      }),
    ),
  ];
  return { tar: packTar(entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) };
}
