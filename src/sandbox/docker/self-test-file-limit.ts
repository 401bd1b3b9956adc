import { InfraError } from '../../domain/errors.ts';
import type { ImageId } from '../sandbox-engine.ts';
import type { DockerClient } from './docker-client.ts';
import { CANDIDATE_UID, containerName, toCreateOptions } from './host-config.ts';
import type { Owner } from './labels.ts';
import { removeContainer } from './removal.ts';
import { seccompProfileJson } from './seccomp.ts';

const MIB = 1024 ** 2;
const LIMITS = { cpus: 1, memoryBytes: 32 * MIB, pids: 16, files: 0, fileBytes: MIB };
const EXPIRES_AFTER_MS = 60_000;
/** What a limit without end is taken as; no service of ours needs more. */
const UNLIMITED = 1_048_576;

/**
 * The largest open-files limit a container of this engine can be given: a start with a larger one fails.
 * Found by starting a container that is given none and so has the engine's own. Throws InfraError.
 */
export async function findFileLimit(
  client: DockerClient,
  owner: Owner,
  image: ImageId,
  nowMs: number,
  signal: AbortSignal,
): Promise<number> {
  const name = containerName('probe');
  const options = toCreateOptions(
    {
      name,
      role: 'probe',
      owner,
      identity: { run: '', epoch: 0 },
      image,
      command: ['sh', '-c', 'ulimit -Hn'],
      uid: CANDIDATE_UID,
      limits: LIMITS,
      network: { kind: 'none' },
      tmpBytes: MIB,
      expiresAtMs: nowMs + EXPIRES_AFTER_MS,
    },
    seccompProfileJson(),
  );
  const hostConfig = {
    ...options.HostConfig,
    Ulimits: (options.HostConfig?.Ulimits ?? []).filter((limit) => limit.Name !== 'nofile'),
    LogConfig: { Type: 'json-file', Config: { 'max-size': '64k' } },
  };
  const container = client.api.getContainer(name);
  try {
    await client.call(
      'create a probe',
      () => client.api.createContainer({ ...options, name, HostConfig: hostConfig }),
      { signal },
    );
    await client.call('start a probe', () => container.start(), { signal });
    await client.call('wait for a probe', () => container.wait(), { signal });
    const output = await client.call('read a probe', () => container.logs({ stdout: true }), { signal });
    return parseLimit(output.toString('utf8'));
  } finally {
    await removeContainer(client, name).catch(() => undefined);
  }
}

function parseLimit(output: string): number {
  const text = /(\d+|unlimited)\s*$/.exec(output)?.[1];
  if (text === undefined) {
    throw new InfraError(
      'SELF_TEST_BROKEN',
      `the open-files probe printed no limit: "${output.slice(0, 100)}"`,
    );
  }
  return text === 'unlimited' ? UNLIMITED : Math.min(Number(text), UNLIMITED);
}
