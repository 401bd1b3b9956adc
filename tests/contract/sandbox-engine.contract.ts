import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type {
  CandidateSpec,
  GraderSpec,
  Pod,
  SandboxEngine,
  SidecarSpec,
} from '../../src/sandbox/sandbox-engine.ts';
import { never, untilAnswered } from '../helpers/sandbox.ts';

/** What the candidates and graders of the suite do; every adapter has its own way to make them. */
export interface SandboxHarness {
  engine: SandboxEngine;
  candidate(does: CandidateBehaviour): CandidateSpec;
  grader(does: GraderBehaviour): GraderSpec;
  /** Says "open" once it is ready. */
  sidecar(does: SidecarBehaviour): SidecarSpec;
  /** What is left of this harness' pods, by name. */
  leftovers(): Promise<string[]>;
}

export type CandidateBehaviour =
  /** Prints "up", answers 200 on 8080 of all IPv4 addresses; SIGTERM ends it by default. */
  | 'serves'
  /** Answers 204 on 8080 of ::1 alone. */
  | 'serves-ipv6'
  /** Accepts on 8080 and never answers. */
  | 'hangs'
  /** Answers 8080 with something else than HTTP, or nothing at all. */
  | 'answers-garbage'
  /** Prints "bye" and exits with 3. */
  | 'exits-3'
  | 'runs-out-of-memory'
  /** Runs for ever, ignores SIGTERM. */
  | 'ignores-sigterm'
  /** Prints "closing" and exits with 0 on SIGTERM. */
  | 'ends-politely'
  /** Its command does not exist. */
  | 'is-missing'
  /** Adds one line to a file in /data, prints "lines=<n>" and serves. */
  | 'counts-lives';

export type GraderBehaviour =
  /** Prints "ready", answers each line with "got <line>", prints "log" to stderr, exits with 4 after "quit". */
  'echoes' | 'exits-at-once' | 'runs-for-ever';

export type SidecarBehaviour =
  /** Writes to its data folder, prints "open" and runs for ever. */
  | 'opens'
  /** Prints "broken" and exits with 5. */
  | 'breaks'
  /** Never prints "open". */
  | 'dawdles';

const GRACE_MS = 300;

/** The contract of the port, for any adapter. */
export function describeSandboxEngine(name: string, make: () => Promise<SandboxHarness>): void {
  describe(`sandbox engine: ${name}`, () => {
    let harness: SandboxHarness;
    const pods: Pod[] = [];

    async function openPod(): Promise<Pod> {
      const pod = await harness.engine.openPod({ run: `run-${pods.length}`, epoch: 1 }, never);
      pods.push(pod);
      return pod;
    }

    beforeAll(async () => {
      harness = await make();
    });
    afterEach(async () => {
      await Promise.all(pods.splice(0).map((pod) => pod.destroy()));
      expect(await harness.leftovers()).toEqual([]);
    });
    afterAll(async () => {
      await harness.engine.close();
      expect(await harness.leftovers()).toEqual([]);
    });

    it('tells its facts', async () => {
      const facts = await harness.engine.facts(never);
      expect(facts.cpus).toBeGreaterThan(0);
      expect(facts.runtime).not.toBe('');
    });

    it('knows no image under a name that nobody gave', async () => {
      expect(await harness.engine.foreignImage('team/not-there:1', never)).toBeUndefined();
    });

    it('reaches a candidate on IPv4 and tells what listens', async () => {
      const pod = await openPod();
      expect(await pod.probe(8080, '/health', 500)).toEqual({ kind: 'refused' });
      const candidate = await pod.startCandidate(harness.candidate('serves'), never);
      expect(await untilAnswered(pod)).toEqual({ kind: 'answered', address: '127.0.0.1', status: 200 });
      expect(candidate.running).toBe(true);
      expect(await pod.listeners()).toEqual([{ address: '0.0.0.0', port: 8080 }]);
      expect(await pod.countSockets()).toBeGreaterThanOrEqual(1);
      expect(candidate.log()).toMatchObject({ text: expect.stringContaining('up'), truncated: false });
      expect((await candidate.stats()).pids).toBeGreaterThan(0);
    });

    it('reaches a candidate that listens on ::1 alone', async () => {
      const pod = await openPod();
      await pod.startCandidate(harness.candidate('serves-ipv6'), never);
      expect(await untilAnswered(pod)).toEqual({ kind: 'answered', address: '::1', status: 204 });
      expect(await pod.listeners()).toEqual([{ address: '::1', port: 8080 }]);
    });

    it('gives up on a candidate that never answers, and tells garbage from HTTP', async () => {
      const silent = await openPod();
      await silent.startCandidate(harness.candidate('hangs'), never);
      await expect.poll(() => silent.listeners(), { timeout: 5000 }).toHaveLength(1);
      const startedMs = performance.now();
      expect(await silent.probe(8080, '/', 200)).toEqual({ kind: 'timeout' });
      expect(performance.now() - startedMs).toBeLessThan(1500);

      const garbage = await openPod();
      await garbage.startCandidate(harness.candidate('answers-garbage'), never);
      await expect.poll(() => garbage.listeners(), { timeout: 5000 }).toHaveLength(1);
      expect(await garbage.probe(8080, '/', 1000)).toMatchObject({ kind: 'bad-answer' });
    });

    it('reports an exit with its code and its log', async () => {
      const pod = await openPod();
      const candidate = await pod.startCandidate(harness.candidate('exits-3'), never);
      expect(await candidate.exit()).toMatchObject({ cause: 'exited', exitCode: 3, oomKilled: false });
      expect(candidate.running).toBe(false);
      expect(candidate.log().text).toContain('bye');
    });

    it('reports the memory limit in words', async () => {
      const pod = await openPod();
      const candidate = await pod.startCandidate(harness.candidate('runs-out-of-memory'), never);
      expect(await candidate.exit()).toMatchObject({
        cause: 'oom',
        exitCode: 137,
        signal: 'SIGKILL',
        oomKilled: true,
        message: 'It was ended because it used more than its 96 MiB of memory.',
      });
    });

    it('reports a command that cannot be executed as an end, not as an error', async () => {
      const pod = await openPod();
      const candidate = await pod.startCandidate(harness.candidate('is-missing'), never);
      const report = await candidate.exit();
      expect(report.cause).toBe('start-failed');
      expect(report.message).toMatch(/could not be started.*no such file/);
    });

    it('ends a candidate at its wall-clock limit', async () => {
      const pod = await openPod();
      const spec = harness.candidate('ignores-sigterm');
      const candidate = await pod.startCandidate({ ...spec, limits: { ...spec.limits, wallMs: 500 } }, never);
      const report = await candidate.exit();
      expect(report).toMatchObject({ cause: 'timeout', exitCode: 137 });
      expect(report.message).toContain('500 ms');
      expect(report.wallMs).toBeGreaterThanOrEqual(490);
    });

    it('stops politely, and kills what does not listen after the grace', async () => {
      const pod = await openPod();
      const polite = await pod.startCandidate(harness.candidate('ends-politely'), never);
      await untilAnswered(pod);
      expect(await polite.stop(5000)).toMatchObject({ cause: 'killed', exitCode: 0 });
      expect(polite.log().text).toContain('closing');
      await polite.remove();

      const stubborn = await pod.startCandidate(harness.candidate('ignores-sigterm'), never);
      await expect.poll(() => stubborn.log().text, { timeout: 5000 }).toContain('up');
      const startedMs = performance.now();
      expect(await stubborn.stop(GRACE_MS)).toMatchObject({ cause: 'killed', exitCode: 137 });
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(GRACE_MS - 5);
      expect(await stubborn.kill()).toMatchObject({ cause: 'killed', exitCode: 137 });
    });

    it('starts again with the same data, and with fresh data in another candidate', async () => {
      const pod = await openPod();
      const spec = {
        ...harness.candidate('counts-lives'),
        data: { path: '/data', sizeBytes: 4 * 1024 ** 2 },
      };
      const candidate = await pod.startCandidate(spec, never);
      await untilAnswered(pod);
      await expect(candidate.start(never)).rejects.toMatchObject({ code: 'SANDBOX_USE' });
      expect(await candidate.kill()).toMatchObject({ cause: 'killed' });
      await candidate.start(never);
      await untilAnswered(pod);
      expect(candidate.running).toBe(true);
      expect(candidate.log().text).toMatch(/lines=1[^]*lines=2/);
      await candidate.remove();

      const other = await pod.startCandidate(spec, never);
      await untilAnswered(pod);
      expect(other.log().text).toContain('lines=1');
      expect(other.log().text).not.toContain('lines=2');
    });

    it('pauses and resumes', async () => {
      const pod = await openPod();
      const candidate = await pod.startCandidate(harness.candidate('serves'), never);
      await untilAnswered(pod);
      await candidate.pause();
      expect(await pod.probe(8080, '/', 200)).toEqual({ kind: 'timeout' });
      await candidate.resume();
      expect(await pod.probe(8080, '/', 2000)).toMatchObject({ kind: 'answered' });
      await candidate.pause();
      expect(await candidate.kill()).toMatchObject({ cause: 'killed', exitCode: 137 });
    });

    it('talks with a grader line by line', async () => {
      const pod = await openPod();
      const grader = await pod.startGrader(harness.grader('echoes'), never);
      await grader.send('{"a":1}');
      await grader.send('quit');
      let output = '';
      for await (const chunk of grader.stdout) {
        output += String(chunk);
      }
      expect(output).toBe('ready\ngot {"a":1}\ngot quit\n');
      expect(await grader.exit()).toMatchObject({ cause: 'exited', exitCode: 4 });
      expect(grader.stderr().text).toContain('log');
    });

    it('refuses a line to a grader that has gone, and kills one that does not go', async () => {
      const pod = await openPod();
      const gone = await pod.startGrader(harness.grader('exits-at-once'), never);
      expect(await gone.exit()).toMatchObject({ cause: 'exited', exitCode: 0 });
      gone.stdout.resume();
      await expect.poll(() => gone.stdout.readableEnded, { timeout: 5000 }).toBe(true);
      await expect(gone.send('hello')).rejects.toMatchObject({ code: 'GRADER_INPUT' });

      const endless = await pod.startGrader(harness.grader('runs-for-ever'), never);
      expect(await endless.kill()).toMatchObject({ cause: 'killed' });
      endless.stdout.resume();
      await expect.poll(() => endless.stdout.readableEnded, { timeout: 5000 }).toBe(true);
    });

    it('starts a sidecar when it is ready, and lets it outlive the candidate', async () => {
      const pod = await openPod();
      const sidecar = await pod.startSidecar(harness.sidecar('opens'), never);
      expect(sidecar.log().text).toContain('open');
      await sidecar.pause();
      expect(sidecar.running).toBe(true);
      await sidecar.resume();
      const candidate = await pod.startCandidate(harness.candidate('serves'), never);
      await untilAnswered(pod);
      await candidate.kill();
      await candidate.start(never);
      expect(sidecar.running).toBe(true);
      await sidecar.remove();
      expect(await sidecar.exit()).toMatchObject({ cause: 'killed' });
      await pod.startSidecar(harness.sidecar('opens'), never);
    });

    it('tells why a sidecar did not start, and leaves nothing of it', async () => {
      const pod = await openPod();
      const broken = pod.startSidecar(harness.sidecar('breaks'), never);
      await expect(broken).rejects.toMatchObject({
        code: 'SIDECAR_FAILED',
        message: expect.stringContaining('code 5'),
      });
      const spec = harness.sidecar('dawdles');
      const late = pod.startSidecar({ ...spec, ready: { ...spec.ready, withinMs: GRACE_MS } }, never);
      await expect(late).rejects.toMatchObject({
        code: 'SIDECAR_FAILED',
        message: expect.stringContaining('not ready within 300 ms'),
      });
    });

    it('gives the host to one pod at a time, and back when it is destroyed', async () => {
      const [first, second] = [await openPod(), await openPod()];
      const giveBack = await first.ownHost(never);
      let taken = false;
      const waiting = second.ownHost(never).then((release) => {
        taken = true;
        return release;
      });
      await delay(GRACE_MS);
      expect(taken).toBe(false);
      await giveBack();
      await giveBack();
      await waiting;
      const third = await openPod();
      const aborted = third.ownHost(AbortSignal.timeout(GRACE_MS));
      await expect(aborted).rejects.toThrow();
      const next = third.ownHost(never);
      await second.destroy();
      await (await next)();
    });

    it('destroys a pod however often and from however many sides, with everything running', async () => {
      const pod = await openPod();
      const candidate = await pod.startCandidate(harness.candidate('serves'), never);
      const grader = await pod.startGrader(harness.grader('runs-for-ever'), never);
      await Promise.all([pod.destroy(), pod.destroy(), candidate.remove()]);
      await pod.destroy();
      expect(await candidate.exit()).toMatchObject({ cause: 'killed' });
      expect(await grader.exit()).toMatchObject({ cause: 'killed' });
      await expect(pod.startCandidate(harness.candidate('serves'), never)).rejects.toMatchObject({
        code: 'POD_LOST',
      });
      expect(await harness.leftovers()).toEqual([]);
    });

    it('takes back what an aborted call had begun', async () => {
      const pod = await openPod();
      const aborted = AbortSignal.abort(new Error('canceled'));
      await expect(pod.startCandidate(harness.candidate('serves'), aborted)).rejects.toThrow('canceled');
      await expect(harness.engine.openPod({ run: 'x', epoch: 1 }, aborted)).rejects.toThrow('canceled');
    });
  });
}
