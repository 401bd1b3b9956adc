import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSources, readHostMirror } from './apt-mirror.mjs';
import { aptInstall, askToInstall, findProgram } from './engine.mjs';
import { NeedsPerson } from './preconditions.mjs';
import { run } from './run.mjs';

const PULL_DEADLINE_MS = 120_000;
const IMPORT_DEADLINE_MS = 300_000;
const CA_BUNDLE = 'etc/ssl/certs/ca-certificates.crt';
/** What the image does not need: package lists and caches, logs, and what identifies the machine it was made on. */
const LEFTOVERS = [
  'var/cache/apt',
  'var/lib/apt/lists',
  'var/log',
  'var/cache/debconf',
  'etc/machine-id',
  'etc/resolv.conf',
  'etc/hostname',
];

/** True when the engine has the image that everything of ours is built on. */
export async function basePresent(engine, { baseTag }) {
  const { status } = await engine.call('GET', `/images/${encodeURIComponent(baseTag)}/json`);
  return status === 200;
}

/** Pulls Debian's slim image or, where no image registry answers, makes the like with debootstrap. */
export async function makeBase(engine, settings, log) {
  const reason = await pull(engine, settings, log);
  if (reason === undefined) {
    return 'pulled';
  }
  log.say(`base image: cannot be pulled (${reason}); making it with debootstrap`);
  await bootstrap(engine, settings, log);
  return 'made with debootstrap';
}

/** Undefined when it worked, else why not. */
async function pull(engine, { suite, baseTag }, log) {
  try {
    const query = new URLSearchParams({ fromImage: 'debian', tag: `${suite}-slim` });
    const { status, body } = await engine.call('POST', `/images/create?${query.toString()}`, {
      deadlineMs: PULL_DEADLINE_MS,
      onChunk: (chunk) => log.output(chunk),
    });
    const failure =
      status === 200 ? /"error":"([^"]*)"/.exec(body)?.[1] : `HTTP ${status} ${body.trim().slice(0, 200)}`;
    if (failure) {
      return failure;
    }
    const [repo, tag] = baseTag.split(':');
    const tagged = await engine.call(
      'POST',
      `/images/debian:${suite}-slim/tag?${new URLSearchParams({ repo, tag }).toString()}`,
    );
    return tagged.status === 201 ? undefined : `HTTP ${tagged.status} when it was named`;
  } catch (error) {
    return error.message;
  }
}

async function bootstrap(engine, settings, log) {
  const mirror = settings.os.id === 'debian' ? readHostMirror(settings.os.codename) : undefined;
  if (!settings.isRoot || mirror === undefined) {
    throw new NeedsPerson(
      `the image debian:${settings.suite}-slim cannot be pulled, and it can only be made as root on Debian`,
      `bring the image here (docker load, or a registry mirror) and name it: docker tag debian:${settings.suite}-slim ${settings.baseTag}`,
    );
  }
  if (!findProgram('debootstrap')) {
    await askToInstall(['debootstrap'], settings);
    await aptInstall(['debootstrap'], settings, log);
  }
  await mkdir(settings.home, { recursive: true });
  const folder = await mkdtemp(join(settings.home, 'base-'));
  try {
    await fillRoot(folder, mirror, settings, log);
    await importRoot(engine, folder, settings, log);
  } finally {
    await removeRoot(folder, log);
  }
}

async function fillRoot(folder, mirror, { root, suite }, log) {
  // Placed before the first package, so that manuals and translations are never unpacked and dpkg does not sync.
  await mkdir(join(folder, 'etc/dpkg/dpkg.cfg.d'), { recursive: true });
  await cp(join(root, 'docker/base/dpkg-slim.cfg'), join(folder, 'etc/dpkg/dpkg.cfg.d/60-assay'));
  await run('debootstrap', ['--variant=minbase', suite, folder, mirror.main], { log });
  await Promise.all(LEFTOVERS.map((path) => rm(join(folder, path), { recursive: true, force: true })));
  await Promise.all(
    ['var/log', 'var/cache/apt/archives/partial', 'var/lib/apt/lists/partial', 'var/cache/debconf'].map(
      (path) => mkdir(join(folder, path), { recursive: true }),
    ),
  );
  await writeFile(join(folder, 'etc/apt/sources.list'), imageSources(mirror, suite));
  if (Object.values(mirror).some((address) => address?.startsWith('https:'))) {
    // The packages' own certificates come with a package, which needs them to be fetched: bring the host's.
    await mkdir(join(folder, 'etc/ssl/certs'), { recursive: true });
    await cp(join('/', CA_BUNDLE), join(folder, CA_BUNDLE), { dereference: true });
  }
}

async function importRoot(engine, folder, { baseTag }, log) {
  const [repo, tag] = baseTag.split(':');
  const query = new URLSearchParams({ fromSrc: '-', repo, tag, changes: 'CMD ["/bin/sh"]' });
  query.append('changes', 'LABEL app=assay');
  await run('tar', ['--numeric-owner', '--one-file-system', '-C', folder, '-c', '.'], {
    log,
    stdout: async (body) => {
      const answer = await engine.call('POST', `/images/create?${query.toString()}`, {
        body,
        headers: { 'content-type': 'application/x-tar' },
        deadlineMs: IMPORT_DEADLINE_MS,
      });
      if (answer.status !== 200 || answer.body.includes('"error"')) {
        throw new Error(`the engine refused the base image: HTTP ${answer.status} ${answer.body.trim()}`);
      }
    },
  });
}

/** Never removes through a mount that an interrupted debootstrap left: that would reach the host's own files. */
async function removeRoot(folder, log) {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.toReversed()) {
    await run('umount', [path], { log });
  }
  await rm(folder, { recursive: true, force: true });
}
