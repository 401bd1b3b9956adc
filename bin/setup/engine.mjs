import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { NeedsPerson } from './preconditions.mjs';
import { run } from './run.mjs';

const PROGRAM_FOLDERS = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/sbin', '/bin'];
const SERVICE_WAIT_MS = 20_000;
const PLAIN_WAIT_MS = 60_000;

/** 'answers' with its version, 'stopped' (installed, may be started) or 'absent'. Throws NeedsPerson. */
export async function findEngine(engine, settings) {
  const answer = await ping(engine);
  if (answer.version) {
    return { kind: 'answers', version: answer.version };
  }
  if (settings.dockerHost !== undefined) {
    throw new NeedsPerson(
      `DOCKER_HOST is ${settings.dockerHost} and nothing answers there (${answer.reason})`,
      'start that engine, or unset DOCKER_HOST to use the one of this machine',
    );
  }
  if (answer.reason === 'EACCES') {
    throw new NeedsPerson(
      `this user may not use the container engine at ${engine.address.socketPath}`,
      'run this as root, or: sudo usermod -aG docker "$USER", then log in again',
    );
  }
  const installed = findProgram('dockerd') !== undefined;
  if (!settings.isRoot || (!installed && !isDebian(settings))) {
    throw adviseByHand(settings, installed);
  }
  return { kind: installed ? 'stopped' : 'absent' };
}

/** Installs Docker Engine from Debian's packages, after asking where there is somebody to ask. */
export async function installEngine(settings, log) {
  const packages = enginePackages();
  await askToInstall(packages, settings);
  await aptInstall(packages, settings, log);
  return packages.join(' ');
}

/** Installs Debian packages without recommended ones. Throws CommandFailed. */
export async function aptInstall(packages, settings, log) {
  const env = { ...settings.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { log, env });
  await run('apt-get', ['install', '--yes', '--no-install-recommends', ...packages], { log, env });
}

/** Asks on a terminal; without one, or with ASSAY_YES=1, goes ahead. Throws NeedsPerson on a no. */
export async function askToInstall(packages, settings) {
  if (settings.sayYes || !settings.interactive) {
    return;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`setup: install ${packages.join(', ')} with apt-get? [Y/n] `);
  terminal.close();
  if (!/^(y|yes|)$/i.test(answer.trim())) {
    throw new NeedsPerson(
      'nothing was installed',
      `install it yourself: apt-get install ${packages.join(' ')}`,
    );
  }
}

/** Starts the installed engine and waits until it answers: systemd, else the init script, else plainly. */
export async function startEngine(engine, settings, log) {
  // The package starts its service itself where it can.
  if ((await waitForAnswer(engine, 1500)).version) {
    return 'was started by its package';
  }
  if (existsSync('/run/systemd/system')) {
    await run('systemctl', ['start', 'docker'], { log });
    const answer = await waitForAnswer(engine, SERVICE_WAIT_MS);
    if (!answer.version) {
      throw new Error(`the engine does not answer (${answer.reason}); see: journalctl -u docker`);
    }
    return `${answer.version}, by systemd`;
  }
  if (existsSync('/etc/init.d/docker')) {
    const byScript = await run('/etc/init.d/docker', ['start'], { log }).catch((error) => error);
    const answer = byScript ? {} : await waitForAnswer(engine, SERVICE_WAIT_MS);
    if (answer.version) {
      return `${answer.version}, by its init script`;
    }
  }
  return startPlainly(engine, settings, log);
}

async function startPlainly(engine, settings, log) {
  const path = join(settings.home, 'dockerd.log');
  const file = openSync(path, 'a');
  log.say(`starting dockerd; its log: ${path}`);
  const child = spawn(findProgram('dockerd') ?? 'dockerd', [], {
    detached: true,
    stdio: ['ignore', file, file],
  });
  let failure;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code) => {
    failure = `exit ${code}`;
  });
  child.unref();
  const answer = await waitForAnswer(engine, PLAIN_WAIT_MS, () => failure !== undefined);
  if (!answer.version) {
    throw new Error(`dockerd does not answer (${failure ?? answer.reason}); its log: ${path}`);
  }
  return `${answer.version}, plainly`;
}

async function waitForAnswer(engine, waitMs, gaveUp = () => false) {
  const endMs = performance.now() + waitMs;
  let answer = await ping(engine);
  while (!answer.version && !gaveUp() && performance.now() < endMs) {
    await sleep(150);
    answer = await ping(engine);
  }
  return answer;
}

async function ping(engine) {
  try {
    const { status, body } = await engine.call('GET', '/version');
    return status === 200 ? { version: JSON.parse(body).Version } : { reason: `HTTP ${status}` };
  } catch (error) {
    return { reason: error.code ?? error.message };
  }
}

/** Beside the engine itself: what it needs and Debian's package only recommends. */
export function enginePackages(cgroupsMounted = hasCgroups()) {
  const needed = ['docker.io', 'iptables', 'ca-certificates'];
  return cgroupsMounted ? needed : [...needed, 'cgroupfs-mount'];
}

function hasCgroups() {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') || existsSync('/sys/fs/cgroup/memory');
}

/** Where a system program is, or undefined. Looks beyond PATH: a user's often lacks the sbin folders. */
export function findProgram(name) {
  return PROGRAM_FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function isDebian({ os }) {
  return os.like.includes('debian') && findProgram('apt-get') !== undefined;
}

/** What a person types where set-up cannot or may not help itself. */
export function adviseByHand(settings, installed) {
  if (installed) {
    return new NeedsPerson(
      'the container engine is installed and does not run; starting it needs root',
      'sudo systemctl start docker    (or run this once as root)',
    );
  }
  const mend = isDebian(settings)
    ? `sudo apt-get update && sudo apt-get install --no-install-recommends ${enginePackages().join(' ')}`
    : 'install Docker Engine 20.10 or newer the way your system provides it, start it, and run this again';
  return new NeedsPerson(`no container engine answers on this machine (${settings.os.name})`, mend);
}
