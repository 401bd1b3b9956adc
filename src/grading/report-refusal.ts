import type { AssayError } from '../domain/errors.ts';
import type { Report } from '../domain/report.ts';
import { assembleReport } from '../report/assemble.ts';
import type { GradeDeps, GradeRequest } from './grade-run.ts';
import { planStages } from './plan-stages.ts';

/** The report of a submission that could not even be planned, such as one without a command to start it. */
export async function reportRefusal(
  request: Omit<GradeRequest, 'startPlan' | 'scope' | 'epoch'>,
  refusal: AssayError,
  deps: Pick<GradeDeps, 'engine' | 'clock' | 'version'>,
  signal: AbortSignal,
): Promise<Report> {
  const { challenge, submission, selection } = request;
  const { file, digest } = challenge;
  const { limits } = file.service;
  const engine = await deps.engine.facts(signal);
  const at = deps.clock.now().toISOString();
  return assembleReport({
    run: {
      id: request.runId,
      startedAt: at,
      finishedAt: at,
      durationMs: 0,
      seed: request.seed,
      visibleOnly: selection.visibleOnly,
      timeline: [],
    },
    challenge: {
      slug: file.slug,
      title: file.title,
      digest,
      passScore: file.pass.score,
      stages: planStages(challenge, selection),
    },
    submission: {
      digest: submission.digest,
      files: submission.files.length,
      bytes: submission.files.reduce((sum, each) => sum + each.bytes, 0),
      notices: submission.notices,
    },
    startPlan: null,
    environment: {
      assay: deps.version,
      engine: `${engine.engine} ${engine.version}`,
      runtime: engine.runtime,
      storageDriver: engine.storageDriver,
      cgroupVersion: engine.cgroupVersion,
      kernel: engine.kernel,
      cpus: engine.cpus,
      memoryBytes: engine.memoryBytes,
      images: {},
      limits: { cpus: limits.cpus, memoryBytes: limits.memory, pids: limits.pids, files: limits.files },
    },
    build: null,
    service: null,
    stages: [],
    failure: {
      code: refusal.code,
      blame: refusal.blame,
      message: refusal.message,
      ...(refusal.mend === undefined ? {} : { hint: refusal.mend }),
    },
    canceled: false,
    remarks: [],
  });
}
