import { parse } from 'yaml';
import { ApiPlanSchema, ApiSuiteSchema, resolveSuite } from '../../../../src/domain/api-suite.ts';
import { PROTOCOL_LIMITS } from '../../../../src/domain/grader-protocol.ts';
import type {
  Check,
  ControlAction,
  ControlReply,
  GraderEvent,
} from '../../../../src/domain/grader-protocol.ts';
import type { Address } from '../../http-client.ts';
import { runPlan } from '../../run-plan.ts';

export interface RunOptions {
  seed?: string;
  deadlineMs?: number;
  checkTimeoutMs?: number;
  requestTimeoutMs?: number;
  readyPath?: string;
  /** Off unless a test is about it. */
  secondPass?: boolean;
  onEvent?: (event: GraderEvent) => void;
  /** Answers control requests; by default the service always runs. */
  control?: (action: ControlAction) => Promise<Omit<ControlReply, 'id'>>;
}

/** Runs a suite written as YAML against a server in this process. Every event is held to the protocol's caps. */
export async function runSuite(yaml: string, target: Address, options: RunOptions = {}): Promise<Check[]> {
  const suite = resolveSuite('hidden/api/test.yaml', ApiSuiteSchema.parse(parse(yaml)));
  const { seed = 's', deadlineMs = 60_000, control, onEvent, ...settings } = options;
  const plan = ApiPlanSchema.parse({ suites: [suite], secondPass: false, ...settings });
  const checks: Check[] = [];
  await runPlan({ v: 1, stage: 'api', target, seed, deadlineMs, plan }, plan, {
    emit: async (event) => {
      if (Buffer.byteLength(JSON.stringify(event)) > PROTOCOL_LIMITS.lineBytes) {
        throw new Error('an event is too long');
      }
      onEvent?.(event);
      if (event.event === 'check') {
        checks.push(event.check);
      }
      await Promise.resolve();
    },
    control: async (action) => ({ id: 'c', ...(await (control?.(action) ?? Promise.resolve({ ok: true }))) }),
  });
  return checks;
}

/** As `runSuite`, for the steps of a single test. */
export async function runSteps(steps: string, target: Address, options: RunOptions = {}): Promise<Check> {
  const indented = steps
    .trim()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
  const [check] = await runSuite(`suite: S\ntests:\n  - name: t\n    steps:\n${indented}\n`, target, options);
  if (!check) {
    throw new Error('no check was emitted');
  }
  return check;
}
