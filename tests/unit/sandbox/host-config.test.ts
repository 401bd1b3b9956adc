import { describe, expect, it } from 'vitest';
import { type ContainerSpec, toCreateOptions } from '../../../src/sandbox/docker/host-config.ts';
import { toPauseOptions } from '../../../src/sandbox/docker/pause-process.ts';
import {
  candidateSpec,
  graderSpec,
  holderSpec,
  type PodContext,
  sidecarSpec,
} from '../../../src/sandbox/docker/pod-specs.ts';
import { candidateOf, graderOf, sidecarOf } from '../../helpers/sandbox.ts';

const CONTEXT: PodContext = {
  owner: { install: 'i', owner: 'o' },
  identity: { run: 'r', epoch: 7 },
  pause: 'assay-pause-1',
  runtime: 'runsc',
  hostCpus: 2,
};
const SECCOMP = '{"defaultAction":"SCMP_ACT_ERRNO"}';
const IMAGE = 'sha256:1';

const candidate = candidateSpec(
  CONTEXT,
  'c',
  { ...candidateOf(IMAGE, ['run', 'me']), data: { path: '/data', sizeBytes: 1e6 }, cpuset: '1' },
  'vol',
);
const grader = graderSpec(CONTEXT, 'g', { ...graderOf(IMAGE, ['grade']), input: Buffer.alloc(0) });
const holder = holderSpec(CONTEXT, 'h', IMAGE, 'vol', 1e6);
const sidecar = sidecarSpec(CONTEXT, 's', sidecarOf(IMAGE, ['serve']));
const build: ContainerSpec = {
  ...candidate,
  role: 'build',
  network: { kind: 'none' },
  writableRoot: true,
  expiresAtMs: 123,
};

describe('toCreateOptions', () => {
  it.each([
    ['candidate', candidate],
    ['grader', grader],
    ['holder', holder],
    ['sidecar', sidecar],
    ['build', build],
  ])('hardens a %s', (_role, spec) => {
    const options = toCreateOptions(spec, SECCOMP);
    const host = options.HostConfig ?? {};
    expect(host).toMatchObject({
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true', `seccomp=${SECCOMP}`],
      IpcMode: 'private',
      CgroupnsMode: 'private',
      Binds: [],
      PublishAllPorts: false,
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      LogConfig: { Type: 'none' },
      Init: true,
      OomScoreAdj: 500,
    });
    expect(host.CapAdd ?? []).toEqual([]);
    expect(host.Devices ?? []).toEqual([]);
    expect(host.PidMode ?? '').toBe('');
    expect(host.UsernsMode ?? '').toBe('');
    expect(host.MemorySwap).toBe(host.Memory);
    expect(host.Memory).toBeGreaterThan(0);
    expect(host.PidsLimit).toBeGreaterThan(0);
    expect(host.NanoCpus).toBeGreaterThan(0);
    expect(host.Ulimits).toContainEqual({ Name: 'core', Soft: 0, Hard: 0 });
    expect(host.Ulimits?.map((limit) => limit.Name).sort()).toEqual(['core', 'fsize', 'nofile']);
    expect(host.Tmpfs?.['/tmp']).toMatch(/^rw,nosuid,nodev,noexec,size=\d+,nr_inodes=\d+,mode=1777$/);
    for (const mount of host.Mounts ?? []) {
      expect(mount.Type).toBe('volume');
    }
    expect(options.User).toMatch(/^1000\d:1000\d$/);
    expect(options.Healthcheck).toEqual({ Test: ['NONE'] });
    expect(options.Tty).toBe(false);
    expect(options).not.toHaveProperty('Hostname');
    expect(options.Labels).toMatchObject({ app: 'assay', 'assay.install': 'i', 'assay.run': 'r' });
  });

  it('gives candidates and graders different users, and only builds a writable root', () => {
    expect(toCreateOptions(candidate, SECCOMP).User).toBe('10001:10001');
    expect(toCreateOptions(grader, SECCOMP).User).toBe('10002:10002');
    expect(toCreateOptions(candidate, SECCOMP).HostConfig?.ReadonlyRootfs).toBe(true);
    expect(toCreateOptions(grader, SECCOMP).HostConfig?.ReadonlyRootfs).toBe(true);
    expect(toCreateOptions(build, SECCOMP).HostConfig?.ReadonlyRootfs).toBe(false);
  });

  it('gives a sidecar a user and a sized place to write of its own', () => {
    const options = toCreateOptions(sidecar, SECCOMP);
    expect(options.User).toBe('10003:10003');
    expect(options.HostConfig).toMatchObject({ ReadonlyRootfs: true, Mounts: [] });
    expect(options.HostConfig?.Tmpfs?.['/data']).toBe(
      'rw,noexec,size=4194304,nr_inodes=1024,uid=10003,gid=10003,mode=0700,nosuid,nodev',
    );
  });

  it('attaches stdin to graders alone, so that end of input arrives', () => {
    expect(toCreateOptions(grader, SECCOMP)).toMatchObject({
      AttachStdin: true,
      OpenStdin: true,
      StdinOnce: true,
    });
    expect(toCreateOptions(candidate, SECCOMP)).toMatchObject({ AttachStdin: false, OpenStdin: false });
  });

  it('lets no command of the image run', () => {
    const options = toCreateOptions(candidate, SECCOMP);
    expect(options.Entrypoint).toEqual(['run']);
    expect(options.Cmd).toEqual(['me']);
  });

  it('joins the pod, sizes the data and passes the runtime on', () => {
    const host = toCreateOptions(candidate, SECCOMP).HostConfig;
    expect(host).toMatchObject({
      NetworkMode: 'container:assay-pause-1',
      Runtime: 'runsc',
      CpusetCpus: '1',
      NanoCpus: 1e9,
    });
    expect(host?.Mounts?.[0]?.VolumeOptions?.DriverConfig.Options['o']).toBe(
      'size=1000000,nr_inodes=1024,uid=10001,gid=10001,mode=0700,nosuid,nodev',
    );
    expect(toCreateOptions(holder, SECCOMP).HostConfig).not.toHaveProperty('Runtime');
    expect(toCreateOptions(build, SECCOMP).Labels).toMatchObject({ 'assay.expires': '123' });
  });

  it('asks for no more CPUs than the host has', () => {
    const spec = candidateOf(IMAGE, ['x'], { cpus: 8 });
    expect(candidateSpec(CONTEXT, 'c', spec, undefined).limits.cpus).toBe(2);
  });
});

describe('toPauseOptions', () => {
  it('is small, closed and ends with our connection', () => {
    const spec = { name: 'p', owner: CONTEXT.owner, identity: CONTEXT.identity, image: IMAGE };
    const options = toPauseOptions(spec, SECCOMP);
    expect(options).toMatchObject({
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      User: '10000:10000',
    });
    expect(options.HostConfig).toMatchObject({
      NetworkMode: 'none',
      Init: false,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      Memory: 16 * 1024 ** 2,
      MemorySwap: 16 * 1024 ** 2,
      PidsLimit: 8,
      Sysctls: { 'net.ipv6.conf.lo.disable_ipv6': '0' },
    });
    expect(options.Labels).toMatchObject({ 'assay.pod': 'p', 'assay.role': 'pause' });
  });
});
