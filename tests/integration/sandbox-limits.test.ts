import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { pack } from 'tar-stream';
import type { Candidate, Pod } from '../../src/sandbox/sandbox-engine.ts';
import { candidateOf, graderOf, makeTestSandbox, never, type TestSandbox } from '../helpers/sandbox.ts';

const MIB = 1024 ** 2;

describe('sandbox limits, on the real engine', () => {
  let sandbox: TestSandbox;
  let pod: Pod;

  beforeAll(async () => {
    sandbox = await makeTestSandbox();
  });
  afterEach(async () => {
    await pod.destroy();
    expect(await sandbox.leftovers()).toEqual([]);
  });
  afterAll(async () => {
    await sandbox.engine.close();
  });

  async function start(
    command: string[],
    limits: Parameters<typeof candidateOf>[2] = {},
    extra: object = {},
  ): Promise<Candidate> {
    pod = await sandbox.engine.openPod({ run: 'limits', epoch: 1 }, never);
    return pod.startCandidate({ ...candidateOf(sandbox.image, command, limits), ...extra }, never);
  }

  async function output(command: string[], extra: object = {}): Promise<string> {
    const candidate = await start(command, {}, extra);
    await candidate.exit();
    return candidate.log().text;
  }

  it('shows from inside: user, capabilities, no new privileges, seccomp, nothing but loopback', async () => {
    const text = await output([
      'sh',
      '-c',
      'id -u; id -g; grep -E "^(CapEff|CapBnd|CapPrm|NoNewPrivs|Seccomp):" /proc/self/status; ' +
        'echo net=$(ls /sys/class/net); echo v6=$(cat /proc/sys/net/ipv6/conf/lo/disable_ipv6); env | sort; ulimit -n; ulimit -c',
    ]);
    expect(text).toMatch(/^10001\n10001\n/);
    expect(text).toMatch(/CapPrm:\s0{16}\n/);
    expect(text).toMatch(/CapEff:\s0{16}\n/);
    expect(text).toMatch(/CapBnd:\s0{16}\n/);
    expect(text).toMatch(/NoNewPrivs:\s1\n/);
    expect(text).toMatch(/Seccomp:\s2\n/);
    expect(text).toContain('net=lo\nv6=0\n');
    expect(text).toContain('HOME=/tmp\n');
    expect(text).toContain('PORT=8080\n');
    expect(text).toContain('TMPDIR=/tmp\n');
    expect(text).toMatch(/1024\n0\n$/);
  });

  it('C18: gives neither candidate nor grader anything of our environment', async () => {
    vi.stubEnv('DATABASE_URL', 'postgres://canary-7f3a');
    vi.stubEnv('ASSAY_CANARY', 'canary-7f3a');
    const command = ['sh', '-c', `env; tr '\\0' '\\n' < /proc/1/environ`];
    const candidate = await start(command);
    await candidate.exit();
    const grader = await pod.startGrader(graderOf(sandbox.image, command), never);
    const fromGrader = await text(grader.stdout);
    vi.unstubAllEnvs();

    for (const seen of [candidate.log().text, fromGrader]) {
      expect(seen).toContain('HOME=/tmp\n');
      expect(seen).not.toContain('canary-7f3a');
      expect(seen).not.toMatch(/^(?:ASSAY|DATABASE|REDIS|DOCKER|NPM)_?\w*=|TOKEN|SECRET/im);
    }
  });

  it('has a read-only root and a /tmp that is sized and runs nothing', async () => {
    const text = await output([
      'sh',
      '-c',
      'for f in /x /etc/x /app/x /usr/x /dev/x; do touch $f 2>&1; done; ' +
        'cp /bin/true /tmp/t && /tmp/t 2>&1; dd if=/dev/zero of=/tmp/big bs=1M count=80 2>&1 | head -1; ls -la /tmp/big',
    ]);
    expect(text.match(/touch: .*: (Read-only file system|Permission denied)/g)).toHaveLength(5);
    expect(text).toContain("touch: cannot touch '/x': Read-only file system");
    expect(text).toContain('/tmp/t: Permission denied');
    expect(text).toMatch(/No space left|File too large/);
  });

  it('keeps the data of a candidate within its size, and to itself', async () => {
    const text = await output(
      [
        'sh',
        '-c',
        'stat -c "%u %a" /data; dd if=/dev/zero of=/data/a bs=1M count=8 2>&1 | grep -o "No space left"; df -B1 --output=size /data | tail -1 | tr -d " "',
      ],
      { data: { path: '/data', sizeBytes: 4 * MIB } },
    );
    expect(text).toContain('10001 700');
    expect(text).toContain('No space left');
    expect(text.trim().split('\n').at(-1)).toBe(String(4 * MIB));
  });

  it('bounds a fork bomb, sees the limit and kills it in a moment', async () => {
    const candidate = await start(['perl', '-e', 'fork while 1'], { pids: 48 });
    await expect.poll(async () => (await candidate.stats()).pids, { timeout: 10_000 }).toBe(48);
    const startedMs = performance.now();
    const report = await candidate.kill();
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(report).toMatchObject({ cause: 'killed', pidsLimitHit: true });
  });

  it('names the process limit when it ends the service', async () => {
    const script =
      'my @p; while (1) { my $p = fork(); last unless defined $p; if (!$p) { sleep 60; exit } push @p, $p } sleep 3; die "no more";';
    const candidate = await start(['perl', '-e', script], { pids: 24 });
    const report = await candidate.exit();
    expect(report).toMatchObject({ cause: 'pids', pidsLimitHit: true });
    expect(report.message).toContain('limit of 24 processes and threads');
  });

  it('names the memory limit when a child meets it and the service ends of it', async () => {
    const hog = 'my @a; push @a, "x" x 1_000_000 while 1';
    const candidate = await start(['sh', '-c', `perl -e '${hog}'; exit 7`], { memoryBytes: 48 * MIB });
    const report = await candidate.exit();
    expect(report).toMatchObject({ cause: 'oom', exitCode: 7, oomKilled: true });
    expect(report.message).toBe(
      'It ended with code 7 after one of its processes used more than its 48 MiB of memory.',
    );
  });

  it('counts files in /tmp and data as memory', async () => {
    const candidate = await start(
      ['sh', '-c', 'dd if=/dev/zero of=/data/a bs=1M count=60; echo survived'],
      { memoryBytes: 32 * MIB },
      { data: { path: '/data', sizeBytes: 64 * MIB } },
    );
    const report = await candidate.exit();
    expect(report.oomKilled).toBe(true);
  });

  it('slows a flooder down without pegging the engine or our memory', async () => {
    const before = await engineCpuMs();
    const rssBefore = process.memoryUsage().rss;
    const candidate = await start(['sh', '-c', 'yes'], { wallMs: 4000 });
    const report = await candidate.exit();
    const cpuMs = (await engineCpuMs()) - before;
    const log = candidate.log();
    expect(report.cause).toBe('timeout');
    expect(report.wallMs).toBeLessThan(6000);
    expect(log).toMatchObject({ truncated: true, throttled: true });
    expect(log.text.length).toBeLessThan(1.1 * MIB);
    expect(log.text).toContain('of output left out here');
    expect(log.totalBytes).toBeGreaterThan(8 * MIB);
    expect(log.totalBytes).toBeLessThan(60 * MIB);
    // Unthrottled it is about a whole core; here a start and a removal are in it as well.
    expect(cpuMs).toBeLessThan(2000);
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(100 * MIB);
  });

  it('neither ends nor marks a service that prints a lot within the rate', async () => {
    const candidate = await start(['sh', '-c', 'head -c 900000 /dev/zero | tr "\\0" a; echo; echo end']);
    expect(await candidate.exit()).toMatchObject({ cause: 'exited', exitCode: 0 });
    const log = candidate.log();
    expect(log).toMatchObject({ totalBytes: 900_005, truncated: false, throttled: false });
    expect(log.text.endsWith('\nend\n')).toBe(true);
  });

  it('puts the input of a grader where only root may write', async () => {
    pod = await sandbox.engine.openPod({ run: 'input', epoch: 1 }, never);
    const tar = pack();
    tar.entry({ name: 'suite/a.txt' }, 'secret');
    tar.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of tar) {
      chunks.push(chunk as Buffer);
    }
    const command = [
      'sh',
      '-c',
      'id -u; cat /input/suite/a.txt; touch /input/x 2>&1; touch /input/suite/a.txt 2>&1',
    ];
    const grader = await pod.startGrader(
      { ...graderOf(sandbox.image, command), input: Buffer.concat(chunks) },
      never,
    );
    let text = '';
    for await (const chunk of grader.stdout) {
      text += String(chunk);
    }
    expect(text).toMatch(/^10002\nsecret/);
    expect(text.match(/Permission denied/g)).toHaveLength(2);
    expect((await grader.exit()).exitCode).toBe(1);
  });

  it('holds a grader back while nobody reads it, and loses nothing', async () => {
    pod = await sandbox.engine.openPod({ run: 'flow', epoch: 1 }, never);
    const bytes = 16 * MIB;
    const grader = await pod.startGrader(
      graderOf(sandbox.image, ['sh', '-c', `head -c ${bytes} /dev/zero; echo done >&2`]),
      never,
    );
    await new Promise((resolve) => {
      setTimeout(resolve, 700);
    });
    expect(grader.stderr().text).toBe('');
    let read = 0;
    for await (const chunk of grader.stdout) {
      read += (chunk as Buffer).length;
    }
    expect(read).toBe(bytes);
    expect(grader.stderr().text).toBe('done\n');
    expect(await grader.exit()).toMatchObject({ cause: 'exited', exitCode: 0 });
  });

  it('removes what a start had begun when it is aborted in the middle', async () => {
    pod = await sandbox.engine.openPod({ run: 'abort', epoch: 1 }, never);
    for (const delayMs of [0, 5, 30, 90]) {
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error('canceled')), delayMs);
      const starting = pod.startCandidate(
        { ...candidateOf(sandbox.image, ['sleep', '100']), data: { path: '/data', sizeBytes: MIB } },
        abort.signal,
      );
      await expect(starting).rejects.toThrow('canceled');
    }
    await pod.destroy();
    expect(await sandbox.leftovers()).toEqual([]);
  });
});

/** CPU time of the engine's process, ms. */
async function engineCpuMs(): Promise<number> {
  const pid = (await readFile('/var/run/docker.pid', 'utf8')).trim();
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
