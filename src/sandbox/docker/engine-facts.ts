import { InfraError } from '../../domain/errors.ts';
import type { EngineFacts } from '../sandbox-engine.ts';
import type { DockerClient } from './docker-client.ts';

/** The part of the engine's answer that we read. */
interface EngineInfo {
  ServerVersion: string;
  Driver: string;
  CgroupVersion?: string;
  KernelVersion: string;
  OperatingSystem: string;
  Architecture: string;
  NCPU: number;
  MemTotal: number;
  DefaultRuntime: string;
  Runtimes: Record<string, unknown>;
}

/** What the engine is. Throws InfraError when it does not answer, or does not know `runtime`. */
export async function readEngineFacts(
  client: DockerClient,
  runtime: string | undefined,
): Promise<EngineFacts> {
  const [info, version] = await Promise.all([
    client.call('ask for engine facts', async () => (await client.api.info()) as EngineInfo),
    client.call('ask for the engine version', () => client.api.version()),
  ]);
  if (runtime !== undefined && !(runtime in info.Runtimes)) {
    const known = Object.keys(info.Runtimes).sort().join(', ');
    throw new InfraError(
      'RUNTIME_UNKNOWN',
      `the container engine has no runtime "${runtime}" (it has ${known})`,
      {
        mend: 'register it in the daemon.json of the engine, or choose one that it has',
      },
    );
  }
  return {
    engine: 'docker',
    version: info.ServerVersion,
    apiVersion: version.ApiVersion,
    runtime: runtime ?? info.DefaultRuntime,
    storageDriver: info.Driver,
    cgroupVersion: info.CgroupVersion ?? '1',
    kernel: info.KernelVersion,
    os: info.OperatingSystem,
    architecture: info.Architecture,
    cpus: info.NCPU,
    memoryBytes: info.MemTotal,
  };
}
