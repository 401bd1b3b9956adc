import { describe, expect, it } from 'vitest';
import { parseListeners, parseProbe } from '../../../src/sandbox/docker/pod-network.ts';
import { toResourceUsage } from '../../../src/sandbox/docker/resource-usage.ts';

describe('parseProbe', () => {
  it('reads every answer of the pause', () => {
    expect(parseProbe('answered 4 200')).toEqual({ kind: 'answered', address: '127.0.0.1', status: 200 });
    expect(parseProbe('answered 6 503')).toEqual({ kind: 'answered', address: '::1', status: 503 });
    expect(parseProbe('refused')).toEqual({ kind: 'refused' });
    expect(parseProbe('timeout')).toEqual({ kind: 'timeout' });
    expect(parseProbe('bad closed')).toMatchObject({ kind: 'bad-answer' });
    expect(() => parseProbe('error too-many-probes')).toThrow('too-many-probes');
  });
});

describe('parseListeners', () => {
  it("reads the kernel's addresses", () => {
    const answer =
      'listeners 0100007F:1F90 00000000:0050 00000000000000000000000001000000:1F91 ' +
      '00000000000000000000000000000000:0016 0000000000000000FFFF00000100007F:270F';
    expect(parseListeners(answer)).toEqual([
      { address: '127.0.0.1', port: 8080 },
      { address: '0.0.0.0', port: 80 },
      { address: '::1', port: 8081 },
      { address: '::', port: 22 },
      { address: '::ffff:7f00:1', port: 9999 },
    ]);
    expect(parseListeners('listeners')).toEqual([]);
    expect(() => parseListeners('sockets 3')).toThrow('sockets 3');
  });
});

describe('toResourceUsage', () => {
  it('reads both versions of control groups, and a container that does not run', () => {
    const cpu = { cpu_usage: { total_usage: 2_500_000 } };
    expect(
      toResourceUsage({
        cpu_stats: cpu,
        pids_stats: { current: 4 },
        memory_stats: { usage: 1000, stats: { total_inactive_file: 300 } },
      } as never),
    ).toEqual({ cpuMs: 2.5, memoryBytes: 700, pids: 4 });
    expect(
      toResourceUsage({
        cpu_stats: cpu,
        memory_stats: { usage: 1000, stats: { inactive_file: 400 } },
      } as never),
    ).toEqual({ cpuMs: 2.5, memoryBytes: 600, pids: 0 });
    expect(toResourceUsage({ cpu_stats: {}, memory_stats: {} } as never)).toEqual({
      cpuMs: 0,
      memoryBytes: 0,
      pids: 0,
    });
  });
});
