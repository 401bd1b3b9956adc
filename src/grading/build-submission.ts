import type { BuildOutcome, LogCapture, SandboxEngine } from '../sandbox/sandbox-engine.ts';
import { type BuildRequest, planBuild } from './plan-build.ts';

/** The outcome of all steps together; `ok` only when all were. The log is that of the steps, one after the other. */
export type SubmissionBuild = BuildOutcome & { steps: BuildOutcome[] };

/**
 * Builds a submission's image by one or two steps; a step that fails ends it. Throws IntakeError as `planBuild`,
 * InfraError (such as `REGISTRY_UNREACHABLE`, worth another try) or the signal's reason.
 */
export async function buildSubmission(
  engine: Pick<SandboxEngine, 'image' | 'build'>,
  request: Omit<BuildRequest, 'from'>,
  signal: AbortSignal,
): Promise<SubmissionBuild> {
  const from = await engine.image(`runtime-${request.plan.runtime}`, signal, request.onLog);
  const planned = planBuild({ ...request, from });
  const first = planned.dependencies && (await engine.build(planned.dependencies, signal));
  if (first && !first.ok) {
    return { ...first, steps: [first] };
  }
  const second = await engine.build(planned.submission(first?.image ?? from), signal);
  const steps = first ? [first, second] : [second];
  const log = joinLogs(steps.map((step) => step.log));
  const wallMs = steps.reduce((sum, step) => sum + step.wallMs, 0);
  return second.ok
    ? { ...second, cached: steps.every((step) => step.ok && step.cached), log, wallMs, steps }
    : { ...second, log, wallMs, steps };
}

function joinLogs(logs: readonly LogCapture[]): LogCapture {
  return {
    text: logs
      .map((log) => log.text)
      .filter((text) => text !== '')
      .join('\n'),
    totalBytes: logs.reduce((sum, log) => sum + log.totalBytes, 0),
    truncated: logs.some((log) => log.truncated),
    throttled: logs.some((log) => log.throttled),
  };
}
