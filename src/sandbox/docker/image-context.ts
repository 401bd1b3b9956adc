import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { InfraError } from '../../domain/errors.ts';
import { readTree, type ContextFile, type ContextHost } from './image-files.ts';
import { graderFiles, graderSources } from './image-graders.ts';
import { installModules } from './image-modules.ts';
import { fetchNpmArchive } from './image-npm.ts';

/** What an image is built from. Two contexts with the same digest give the same image. */
export interface ImageContext {
  name: string;
  /** Name of the image of ours it builds on, or an engine tag such as "assay-base:trixie". */
  parent: string;
  files: ContextFile[];
  /** Hex sha256 of the files and of what generated files are made from. The parent is not in it. */
  digest: string;
}

/** The image that every image of ours builds on where its Dockerfile names none. */
const DEFAULT_PARENT = 'base';

/**
 * Reads docker/<name>/ and digests it. Cheap: nothing is generated yet.
 * Throws InfraError `IMAGE_UNKNOWN` when there is no such image.
 */
export async function readImageContext(root: string, name: string): Promise<ImageContext> {
  const files = await readTree(join(root, 'docker', name)).catch((error: unknown) => {
    throw new InfraError('IMAGE_UNKNOWN', `there is no image "${name}": docker/${name}/ cannot be read`, {
      mend: 'check the name; images are the folders of docker/ that hold a Dockerfile',
      cause: error,
    });
  });
  const dockerfile = files.find((file) => file.path === 'Dockerfile');
  if (!dockerfile) {
    throw new InfraError('IMAGE_UNKNOWN', `docker/${name}/ has no Dockerfile`);
  }
  const sources = holdsGraders(files) ? await graderSources(root) : [];
  return {
    name,
    parent: /^ARG BASE=(\S+)$/m.exec(dockerfile.content.toString('utf8'))?.[1] ?? DEFAULT_PARENT,
    files,
    digest: digestOf([...files, ...sources]),
  };
}

/**
 * The context as an uncompressed tar, generated files included. Same context, same bytes, but for bundles of another
 * bundler version. Throws InfraError when a grader does not compile or npm's archive cannot be had.
 */
export async function packImageContext(
  context: ImageContext,
  host: ContextHost,
  signal: AbortSignal,
): Promise<Buffer> {
  const generated = await generateFiles(context, host, signal);
  const tar = pack();
  for (const file of [...context.files, ...generated]) {
    tar.entry({ name: file.path, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, file.content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

async function generateFiles(
  context: ImageContext,
  host: ContextHost,
  signal: AbortSignal,
): Promise<ContextFile[]> {
  const graders = holdsGraders(context.files) ? await graderFiles(host.root) : [];
  const npm = context.files.find((file) => file.path === 'npm.json');
  const archive = npm ? [{ path: 'npm.tgz', content: await fetchNpmArchive(npm.content, host, signal) }] : [];
  const locked = context.files.some((file) => file.path === 'package-lock.json');
  const modules = locked
    ? [{ path: 'modules.tar', content: await installModules(context.files, host, signal) }]
    : [];
  return [...graders, ...archive, ...modules];
}

/** Whether the Dockerfile copies the folder of graders, which is made for it. */
function holdsGraders(files: readonly ContextFile[]): boolean {
  const dockerfile = files.find((file) => file.path === 'Dockerfile');
  return /^COPY graders /m.test(dockerfile?.content.toString('utf8') ?? '');
}

function digestOf(files: readonly ContextFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file.path}\0${file.content.length}\0`).update(file.content);
  }
  return hash.digest('hex');
}
