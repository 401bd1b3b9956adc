import { evidenceText } from '../../src/domain/evidence-text.ts';
import type { Check, GraderEvent } from '../../src/domain/grader-protocol.ts';
import { junitXml } from '../../src/domain/junit-xml.ts';
import { emitArtifact } from '../shared/emit-artifact.ts';
import type { HarLog } from './har.ts';

/** Hands over the exchanges of a stage as `<stage>.har` and its checks as `<stage>.junit.xml`. */
export async function emitArtifacts(
  stage: string,
  checks: readonly Check[],
  har: HarLog,
  emit: (event: GraderEvent) => Promise<void>,
): Promise<void> {
  const content = har.toBuffer();
  await emitArtifact(emit, { name: `${stage}.har`, contentType: 'application/json', content });
  const xml = Buffer.from(toJunit(stage, checks));
  await emitArtifact(emit, { name: `${stage}.junit.xml`, contentType: 'application/xml', content: xml });
}

function toJunit(stage: string, checks: readonly Check[]): string {
  const suites = [...new Set(checks.map((check) => check.suite ?? stage))];
  return junitXml(
    stage,
    suites.map((name) => ({
      name,
      cases: checks
        .filter((check) => (check.suite ?? stage) === name)
        .map((check) => ({
          name: check.name,
          classname: check.id,
          timeMs: check.durationMs,
          outcome: check.status,
          message: check.message,
          detail: check.evidence ? evidenceText(check.evidence) : '',
        })),
    })),
  );
}
