import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { seccompProfileJson } from '../../../src/sandbox/docker/seccomp.ts';

const RuleSchema = z.strictObject({
  comment: z.string().min(1),
  names: z.array(z.string()).min(1),
  action: z.enum(['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO']),
  errnoRet: z.number().optional(),
  args: z
    .array(
      z.strictObject({
        index: z.number(),
        value: z.number(),
        valueTwo: z.number(),
        op: z.enum(['SCMP_CMP_EQ', 'SCMP_CMP_MASKED_EQ']),
      }),
    )
    .optional(),
});
const ProfileSchema = z.strictObject({
  defaultAction: z.literal('SCMP_ACT_ERRNO'),
  defaultErrnoRet: z.literal(1),
  archMap: z.array(z.strictObject({ architecture: z.string(), subArchitectures: z.tuple([]) })),
  syscalls: z.array(RuleSchema),
});

/** Doors that were used to leave sandboxes, or that tell about the host. None may be open, however narrowly. */
const NEVER = `
  io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key bpf perf_event_open userfaultfd ptrace
  process_vm_readv process_vm_writev process_madvise mount umount umount2 move_mount open_tree fsopen fsconfig fsmount
  fspick mount_setattr pivot_root chroot unshare setns kexec_load kexec_file_load init_module finit_module delete_module
  reboot swapon swapoff acct quotactl quotactl_fd settimeofday clock_settime clock_adjtime adjtimex open_by_handle_at
  name_to_handle_at lookup_dcookie iopl ioperm modify_ldt socketcall uselib ustat sysfs _sysctl syslog nfsservctl
  vhangup kcmp pidfd_getfd mbind move_pages migrate_pages set_mempolicy memfd_secret fanotify_init sethostname
  setdomainname vm86 vm86old statmount listmount`
  .split(/\s+/)
  .filter(Boolean);

type Profile = z.infer<typeof ProfileSchema>;

function allowed(profile: Profile, name: string): Profile['syscalls'] {
  return profile.syscalls.filter((rule) => rule.action === 'SCMP_ACT_ALLOW' && rule.names.includes(name));
}

function openDoors(profile: Profile): string[] {
  return NEVER.filter((name) => allowed(profile, name).length > 0);
}

/** What a rule demands of each argument, "0=2 1&15=1 2=6". */
function demands(rule: Profile['syscalls'][number]): string {
  return (rule.args ?? [])
    .map((arg) =>
      arg.op === 'SCMP_CMP_EQ' ? `${arg.index}=${arg.value}` : `${arg.index}&${arg.value}=${arg.valueTwo}`,
    )
    .join(' ');
}

const profile = ProfileSchema.parse(JSON.parse(seccompProfileJson()));

describe('seccomp profile', () => {
  test('knows two architectures and none of their 32-bit relatives', () => {
    expect(profile.archMap.map((arch) => arch.architecture)).toEqual([
      'SCMP_ARCH_X86_64',
      'SCMP_ARCH_AARCH64',
    ]);
  });

  test('opens none of the forbidden calls, and a planted one is noticed', () => {
    expect(openDoors(profile)).toEqual([]);
    const planted = { comment: 'planted', names: ['bpf'], action: 'SCMP_ACT_ALLOW' as const };
    expect(openDoors({ ...profile, syscalls: [...profile.syscalls, planted] })).toEqual(['bpf']);
  });

  test('sockets are only unix, IPv4 and IPv6 streams and datagrams, and routing netlink', () => {
    expect(allowed(profile, 'socket').map(demands).toSorted()).toEqual([
      '0=1',
      '0=10 1&15=1 2=0',
      '0=10 1&15=1 2=6',
      '0=10 1&15=2 2=0',
      '0=10 1&15=2 2=17',
      '0=16 2=0',
      '0=2 1&15=1 2=0',
      '0=2 1&15=1 2=6',
      '0=2 1&15=2 2=0',
      '0=2 1&15=2 2=17',
    ]);
    expect(allowed(profile, 'socketpair').map(demands)).toEqual(['0=1']);
  });

  test('a new process gets no new namespace, and clone3 seems not to exist', () => {
    expect(allowed(profile, 'clone').map(demands)).toEqual([`0&${0x7e020000}=0`]);
    expect(profile.syscalls.filter((rule) => rule.names.includes('clone3'))).toMatchObject([
      { action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ]);
  });

  test('personality changes nothing of weight', () => {
    expect(allowed(profile, 'personality').map(demands)).toEqual([
      '0=0',
      '0=8',
      '0=131072',
      '0=131080',
      '0=4294967295',
    ]);
  });

  test('every call without conditions is listed once', () => {
    const plain = profile.syscalls.filter((rule) => rule.args === undefined).flatMap((rule) => rule.names);
    expect(plain.filter((name, index) => plain.indexOf(name) !== index)).toEqual([]);
  });
});
