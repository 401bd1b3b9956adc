import type { CandidateSpec, GraderSpec, ImageId, RunIdentity, SidecarSpec } from '../sandbox-engine.ts';
import { CANDIDATE_UID, type ContainerSpec, GRADER_UID } from './host-config.ts';
import type { Owner, Role } from './labels.ts';

const MIB = 1024 ** 2;
const TMP_BYTES = 64 * MIB;
const FILE_BYTES = 64 * MIB;

/** What all containers of one pod share. */
export interface PodContext {
  owner: Owner;
  identity: RunIdentity;
  /** Name of the pause that they join. */
  pause: string;
  runtime: string | undefined;
  hostCpus: number;
}

/** A candidate: its own image, its own user, its state in a sized tmpfs. Pure. */
export function candidateSpec(
  context: PodContext,
  name: string,
  spec: CandidateSpec,
  dataVolume: string | undefined,
): ContainerSpec {
  const fileBytes = Math.max(FILE_BYTES, spec.data?.sizeBytes ?? 0);
  return {
    ...common(context, name, 'candidate', spec, fileBytes),
    workdir: spec.workdir,
    env: spec.env,
    uid: CANDIDATE_UID,
    ...(spec.data && dataVolume !== undefined
      ? { mounts: [dataMount(dataVolume, spec.data.path, spec.data.sizeBytes)] }
      : {}),
  };
}

/** A sidecar: our image, a user of its own, its data in a tmpfs of its own. Pure. */
export function sidecarSpec(context: PodContext, name: string, spec: SidecarSpec): ContainerSpec {
  const { path, sizeBytes } = spec.data;
  return {
    ...common(context, name, 'sidecar', spec, Math.max(FILE_BYTES, sizeBytes)),
    env: spec.env,
    uid: spec.uid,
    mounts: [{ kind: 'private', path, sizeBytes, uid: spec.uid }],
  };
}

/** A grader: our image, another user than the candidate's, its files in a volume only root may write. Pure. */
export function graderSpec(context: PodContext, name: string, spec: GraderSpec): ContainerSpec {
  return {
    ...common(context, name, 'grader', spec, FILE_BYTES),
    uid: GRADER_UID,
    stdin: true,
    ...(spec.input ? { mounts: [{ kind: 'anonymous', path: '/input' }] } : {}),
  };
}

/** The holder of a candidate's data: a pause that only waits. It has the engine's default runtime: it is ours. Pure. */
export function holderSpec(
  context: PodContext,
  name: string,
  image: ImageId,
  dataVolume: string,
  sizeBytes: number,
): ContainerSpec {
  const { runtime: _ours, ...rest } = context;
  // It is one process, but the OCI runtime's start of it counts too, and has several threads.
  const limits = { cpus: 0.1, memoryBytes: 16 * MIB, pids: 16, files: 64 };
  return {
    ...common(
      { ...rest, runtime: undefined },
      name,
      'holder',
      { image, command: ['/pause', 'hold'], limits },
      MIB,
    ),
    uid: CANDIDATE_UID,
    tmpBytes: MIB,
    mounts: [dataMount(dataVolume, '/data', sizeBytes)],
  };
}

interface CommonSpec {
  image: ImageId;
  command: readonly string[];
  limits: Omit<ContainerSpec['limits'], 'fileBytes'>;
  cpuset?: string;
}

function common(
  context: PodContext,
  name: string,
  role: Role,
  spec: CommonSpec,
  fileBytes: number,
): Omit<ContainerSpec, 'uid'> {
  const { memoryBytes, pids, files } = spec.limits;
  return {
    name,
    role,
    owner: context.owner,
    identity: context.identity,
    image: spec.image,
    command: spec.command,
    network: { kind: 'pod', pause: context.pause },
    tmpBytes: TMP_BYTES,
    // The engine refuses more CPUs than there are.
    limits: { cpus: Math.min(spec.limits.cpus, context.hostCpus), memoryBytes, pids, files, fileBytes },
    ...(spec.cpuset === undefined ? {} : { cpuset: spec.cpuset }),
    ...(context.runtime === undefined ? {} : { runtime: context.runtime }),
  };
}

function dataMount(name: string, path: string, sizeBytes: number) {
  return { kind: 'tmpfs', name, path, sizeBytes, uid: CANDIDATE_UID } as const;
}
