import { readOpenApi } from '../../../../src/challenges/openapi/read-openapi.ts';
import { parseSpecYaml } from '../../../../src/challenges/spec-yaml.ts';
import { contractChecks } from '../../../../src/domain/contract-checks.ts';
import type { ContractPlan } from '../../../../src/domain/contract-plan.ts';
import type { SpecProblem } from '../../../../src/domain/errors.ts';
import type { Check, ControlReply } from '../../../../src/domain/grader-protocol.ts';
import { PROTOCOL_LIMITS } from '../../../../src/domain/grader-protocol.ts';
import type { Address } from '../../../api/http-client.ts';
import { runContract } from '../../run-contract.ts';

/** The plan that the host would make of a document. */
export function planOf(document: string, settings: Partial<ContractPlan> = {}): ContractPlan {
  const problems: SpecProblem[] = [];
  const yaml = parseSpecYaml('openapi.yaml', document, problems);
  const contract = yaml && readOpenApi(yaml, problems);
  if (!contract || problems.length > 0) {
    throw new Error(JSON.stringify(problems));
  }
  const plan: ContractPlan = {
    file: 'openapi.yaml',
    ...contract,
    checks: contractChecks(contract.operations),
    headers: {},
    // The time would make the number of requests depend on the machine.
    budget: { requests: 300, timeMs: 60_000 },
    readyPath: '/',
    ...settings,
  };
  return JSON.parse(JSON.stringify(plan)) as ContractPlan;
}

export interface ContractRun {
  checks: Check[];
  requests: number;
  /** Ids of the checks that failed or errored, without "contract/", with their message. */
  lost: Record<string, string>;
}

/** Runs a plan against a service. Every event is held to the protocol's caps. */
export async function runPlanOf(
  plan: ContractPlan,
  target: Address,
  options: {
    seed?: string;
    deadlineMs?: number;
    control?: (action: string) => Promise<Omit<ControlReply, 'id'>>;
  } = {},
): Promise<ContractRun> {
  const { seed = 's', deadlineMs = 120_000, control } = options;
  const checks: Check[] = [];
  let requests = 0;
  await runContract({ v: 1, stage: 'contract', target, seed, deadlineMs, plan }, plan, {
    emit: async (event) => {
      if (Buffer.byteLength(JSON.stringify(event)) > PROTOCOL_LIMITS.lineBytes) {
        throw new Error('an event is too long');
      }
      if (event.event === 'check') {
        checks.push(event.check);
      } else if (event.event === 'metric') {
        requests = event.metric.value;
      }
      await Promise.resolve();
    },
    control: async (action) => ({ id: 'c', ...(await (control?.(action) ?? Promise.resolve({ ok: true }))) }),
  });
  const lost = checks
    .filter(({ status }) => status === 'failed' || status === 'errored')
    .map(({ id, message }) => [id.replace('contract/', ''), message]);
  return { checks, requests, lost: Object.fromEntries(lost) as Record<string, string> };
}
