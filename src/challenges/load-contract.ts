import { contractChecks } from '../domain/contract-checks.ts';
import type { ContractPlan } from '../domain/contract-plan.ts';
import { suggestFile } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { didYouMean } from './did-you-mean.ts';
import { readOpenApi } from './openapi/read-openapi.ts';
import { problemAt } from './schema-problems.ts';
import { readSpecYaml } from './spec-yaml.ts';

/** Reads the OpenAPI document of the contract stage and decides its checks; undefined when there is no such stage. */
export async function loadContract(bundle: Bundle): Promise<ContractPlan | undefined> {
  const { directory, files, yaml, problems } = bundle;
  const stage = bundle.file.stages.contract;
  if (!stage) {
    return undefined;
  }
  const { openapi: file, headers, budget } = stage;
  if (!files.includes(file)) {
    const message = `there is no file "${file}"`;
    problems.push(problemAt(yaml, ['stages', 'contract', 'openapi'], message, suggestFile(file, files)));
    return undefined;
  }
  const document = await readSpecYaml(directory, file, problems);
  if (!document) {
    return undefined;
  }
  const before = problems.length;
  const contract = readOpenApi(document, problems);
  if (problems.length > before) {
    return undefined;
  }
  const checks = contractChecks(contract.operations);
  const known = checks.map(({ id }) => id);
  for (const [index, id] of stage.leaveOut.entries()) {
    if (!known.includes(id)) {
      const near = didYouMean(id, known);
      const mend = near ? `did you mean "${near}"?` : 'ids are contract/<operationId>/<kind>';
      problems.push(
        problemAt(yaml, ['stages', 'contract', 'leaveOut', index], `no check has the id "${id}"`, mend),
      );
    }
  }
  return {
    file,
    ...contract,
    checks: checks.filter(({ id }) => !stage.leaveOut.includes(id)),
    headers,
    budget: { requests: budget.requests, timeMs: budget.time },
    readyPath: bundle.file.service.ready.path,
  };
}
