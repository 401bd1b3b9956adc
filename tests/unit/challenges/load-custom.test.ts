import { describe, expect, it } from 'vitest';
import { challengeCheckIds, loadChallenge } from '../../../src/challenges/load-challenge.ts';
import { SpecError } from '../../../src/domain/errors.ts';
import type { SpecProblem } from '../../../src/domain/errors.ts';
import { planStages } from '../../../src/grading/plan-stages.ts';
import { makeBundle } from './bundle-fixture.ts';

function challengeWith(grader: string): string {
  return `apiVersion: assay/v1
slug: own
title: Own
stages:
  api: { weight: 70, suites: [hidden/api/*.yaml] }
  custom:
    weight: 30
    graders:
      - ${grader}
`;
}

function bundleWith(grader: string): string {
  return makeBundle({
    'challenge.yaml': challengeWith(grader),
    'hidden/load.yaml': null,
    'hidden/own/test_pages.py': 'pages',
  });
}

async function problemsOf(grader: string): Promise<SpecProblem[]> {
  try {
    await loadChallenge(bundleWith(grader));
  } catch (error) {
    if (error instanceof SpecError) {
      return [...error.problems];
    }
    throw error;
  }
  return [];
}

describe('a grader of the author’s own', () => {
  it('is planned with its command, limits, files and checks, and is no part of a dry run', async () => {
    const challenge = await loadChallenge(
      bundleWith(
        '{ image: "team/grader:3", command: [/grade.sh], files: [hidden/own/*], deadline: 2m, checks: [{ id: pages/whole, name: whole, points: 3 }] }',
      ),
    );
    const [, custom] = planStages(challenge, { visibleOnly: false });

    expect(custom).toMatchObject({
      name: 'custom',
      weight: 30,
      checks: [{ id: 'pages/whole', maxPoints: 3, visibility: 'hidden', skill: 'api-design' }],
      tasks: [
        {
          grader: 'team/grader:3',
          own: { command: ['/grade.sh'], limits: { cpus: 1, memoryBytes: 512 * 1024 ** 2, wallMs: 120_000 } },
          files: [{ path: 'hidden/own/test_pages.py' }],
          deadlineMs: 120_000,
        },
      ],
    });
    expect(challengeCheckIds(challenge)).toContain('pages/whole');
    expect(planStages(challenge, { visibleOnly: true }).map(({ name }) => name)).toEqual(['api']);
  });

  it.each([
    ['{ image: "Team Grader", command: [x] }', 'expected an image as the engine names it'],
    ['{ image: team/grader }', 'command'],
    [
      '{ image: team/grader, command: [x], deadline: 16m }',
      'deadline the grader may take 960 s, but its service is ended after 900 s',
    ],
    ['{ image: team/grader, command: [x], files: [hidden/owl/*] }', '"hidden/owl/*" matches no file'],
    ['{ image: team/grader, command: [x], files: [statement.md] }', '"statement.md" is not below hidden/'],
    [
      '{ image: team/grader, command: [x], checks: [{ id: echo/says-hello, name: again }] }',
      'the check id "echo/says-hello" is taken by hidden/api/echo.yaml',
    ],
  ])('with a mistake is refused: %s', async (grader, words) => {
    const problems = await problemsOf(grader);

    expect(problems.map(({ path, message }) => `${path} ${message}`).join('\n')).toContain(words);
    expect(problems[0]?.file).toBe('challenge.yaml');
  });
});
