import { networkInterfaces } from 'node:os';
import { formatBytes, formatMs } from '../../domain/units.ts';
import { systemClock } from '../../shared/clock.ts';
import { InfraError } from '../../domain/errors.ts';
import type { CandidateSpec, ImageId, LogCapture, SandboxEngine } from '../sandbox-engine.ts';
import { openCanary } from './self-test-canary.ts';
import { judgeProbe, type Proof } from './self-test-checks.ts';
import { parseProbe, probeCommand, type Destination } from './self-test-probe.ts';

export interface SelfTestOptions {
  /** The engine under test: pods and containers are made as for a real run. */
  engine: SandboxEngine;
  /** Any image of ours; the smallest is "base". */
  image: ImageId;
  /** The engine is another machine: its host cannot be given a canary. */
  remoteEngine?: boolean;
}

const MIB = 1024 ** 2;
const LIMITS = { cpus: 1, memoryBytes: 192 * MIB, pids: 64, files: 1024, wallMs: 20_000 };
const LOG_END_WAIT_MS = 2000;
/** Addresses nobody in a sandbox may reach: a public one, cloud metadata (IPv4 and IPv6), the engine's own bridge. */
const OUTSIDE: readonly Destination[] = [
  { address: '1.1.1.1', port: 80 },
  { address: '169.254.169.254', port: 80 },
  { address: 'fd00:ec2::254', port: 80 },
];
const ENGINE_BRIDGE = '172.17.0.1';

/**
 * Proves the sandbox on the real engine: one candidate container in one pod tries what it must not be able to do,
 * while a real server of this host waits for connections that must not come. Takes about a second.
 * Every proof is returned, failed ones too; throws InfraError only when the probe could not be run at all.
 */
export async function proveSandbox(options: SelfTestOptions, signal: AbortSignal): Promise<Proof[]> {
  const startMs = systemClock.elapsedMs();
  const canary = await openCanary();
  try {
    const canarySeesLoopback = await canary.seesConnection();
    const destinations = [...OUTSIDE, ...hostAddresses().map((address) => ({ address, port: canary.port }))];
    const output = await runProbe(options, destinations, signal);
    const proofs = judgeProbe(parseProbe(output), LIMITS);
    return [
      ...proofs,
      {
        name: 'host canary untouched',
        ok: canarySeesLoopback && canary.connections() === 0,
        detail: describeCanary(canarySeesLoopback, canary.connections(), options.remoteEngine === true),
      },
      { name: 'self-test complete', ok: true, detail: `in ${formatMs(systemClock.elapsedMs() - startMs)}` },
    ];
  } finally {
    await canary.close();
  }
}

/** True when every proof holds; an empty list proves nothing. */
export function isProven(proofs: readonly Proof[]): boolean {
  return proofs.length > 0 && proofs.every((proof) => proof.ok);
}

/** One line per proof for a terminal, and a verdict. */
export function formatProofs(proofs: readonly Proof[]): string {
  const width = Math.max(0, ...proofs.map((proof) => proof.name.length));
  const lines = proofs.map(
    (proof) => `${proof.ok ? 'ok    ' : 'FAILED'}  ${proof.name.padEnd(width)}  ${proof.detail}`,
  );
  const failed = proofs.filter((proof) => !proof.ok).length;
  const verdict = isProven(proofs)
    ? 'The sandbox holds.'
    : `The sandbox is not proven: ${failed} of ${proofs.length} proofs failed. No work is taken.`;
  return [...lines, verdict].join('\n');
}

async function runProbe(
  options: SelfTestOptions,
  destinations: readonly Destination[],
  signal: AbortSignal,
): Promise<string> {
  const pod = await options.engine.openPod({ run: 'self-test', epoch: 0 }, signal);
  try {
    const spec: CandidateSpec = {
      image: options.image,
      command: probeCommand(destinations),
      workdir: '/app',
      env: {},
      limits: LIMITS,
    };
    const candidate = await pod.startCandidate(spec, signal);
    const exit = await candidate.exit();
    const log = await completeLog(() => candidate.log());
    if (!parseProbe(log.text).complete) {
      throw new InfraError(
        'SELF_TEST_BROKEN',
        `the self-test's probe did not reach its end. ${exit.message} It printed ${formatBytes(log.totalBytes)}: ${log.text.slice(-300)}`,
      );
    }
    return log.text;
  } finally {
    await pod.destroy();
  }
}

/** The exit can be known before the last of the output has been read. */
async function completeLog(read: () => LogCapture): Promise<LogCapture> {
  const endMs = systemClock.elapsedMs() + LOG_END_WAIT_MS;
  while (!parseProbe(read().text).complete && systemClock.elapsedMs() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return read();
}

function hostAddresses(): string[] {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    // A link-local address means nothing without its interface.
    .filter((each) => !each.internal && !each.address.startsWith('fe80:'))
    .map((each) => each.address);
  // The pod's own loopback is listed too: nothing of the host answers there.
  return [...new Set(['127.0.0.1', '::1', ENGINE_BRIDGE, ...own])];
}

function describeCanary(seesLoopback: boolean, connections: number, remote: boolean): string {
  if (!seesLoopback) {
    return 'the canary did not see a connection of this host itself, so it proves nothing';
  }
  const note = remote ? '; the engine is remote: its own host was not tried' : '';
  return `${connections} connections from the sandbox to a server of this host${note}`;
}
