import type { Challenge } from '../domain/challenge.ts';
import type { GraderProcess, ImageId, Pod, SandboxEngine } from '../sandbox/sandbox-engine.ts';
import type { Grader } from './graders.ts';
import type { OwnImages } from './own-images.ts';
import { packInput } from './pack-input.ts';
import type { GraderTask, StagePlan } from './stages/stage-plan.ts';

/** How long past its deadline a grader may take to end, ms. */
export const GRADER_GRACE_MS = 10_000;

/** The longest that a task can take from the start of the service to the last word of its grader, ms. */
export function taskWallMs(task: GraderTask, service: Challenge['file']['service']): number {
  return task.deadlineMs + 2 * GRADER_GRACE_MS + 2 * service.ready.within;
}

export interface GraderContext {
  engine: Pick<SandboxEngine, 'image'>;
  ownImages: OwnImages;
  pod: Pod;
  service: Challenge['file']['service'];
  /** CPUs of the machine that the containers may use. */
  cpus: number;
  loadGrader: (name: string) => Promise<Grader>;
}

/** Starts the grader of a task; in a stage that has the host for itself on a CPU of its own. */
export async function startGrader(
  plan: Pick<StagePlan, 'exclusive'>,
  task: GraderTask,
  context: GraderContext,
  signal: AbortSignal,
): Promise<GraderProcess> {
  const { command, ...grader } = task.own ?? (await context.loadGrader(task.grader));
  const { image } = await graderImage(task, context, signal);
  const limits = { ...grader.limits, wallMs: taskWallMs(task, context.service) };
  const cpuset = plan.exclusive && context.cpus > 1 ? { cpuset: GRADER_CPU } : {};
  const files = task.files ?? [];
  const input = files.length > 0 ? { input: await packInput(files) } : {};
  return await context.pod.startGrader({ image, command, limits, ...input, ...cpuset }, signal);
}

/** The image of a task's grader, with its name for the report. */
export async function graderImage(
  task: GraderTask,
  { engine, ownImages, loadGrader }: Pick<GraderContext, 'engine' | 'ownImages' | 'loadGrader'>,
  signal: AbortSignal,
): Promise<{ name: string; image: ImageId }> {
  if (!task.own) {
    const { image: name } = await loadGrader(task.grader);
    return { name, image: await engine.image(name, signal) };
  }
  const image = ownImages.get(task.grader);
  if (image === undefined) {
    throw new Error(`nobody looked up the image "${task.grader}"`);
  }
  return { name: task.grader, image };
}

const SERVICE_CPU = 0;
const GRADER_CPU = '1';

/** In a stage that has the host for itself the service and its databases share a CPU; the grader has another. */
export function serviceCpus(
  plan: Pick<StagePlan, 'exclusive'>,
  { cpus }: Pick<GraderContext, 'cpus'>,
): number[] {
  return plan.exclusive && cpus > 1 ? [SERVICE_CPU] : [];
}

/** The same as an option of a container. */
export function serviceCpuset(
  plan: Pick<StagePlan, 'exclusive'>,
  context: Pick<GraderContext, 'cpus'>,
): { cpuset?: string } {
  const cpus = serviceCpus(plan, context);
  return cpus.length === 0 ? {} : { cpuset: cpus.join(',') };
}
