import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

const CHALLENGE = `apiVersion: assay/v1
slug: echo
title: Echo
stages:
  api: { weight: 70, suites: [hidden/api/*.yaml] }
  load: { weight: 30, plan: hidden/load.yaml }
`;

const SUITE = `suite: Echo
tests:
  - name: says hello
    visibility: visible
    steps:
      - request: GET /hello
        expect: { status: 200 }
  - name: knows its limits
    steps:
      - request: GET /nothing
        expect: { status: 404 }
`;

const LOAD = `users:
  - name: Visitor
    tasks:
      - { name: hello, request: GET /hello }
shape:
  - { users: 2, for: 20s }
thresholds:
  - { that: "errors < 1%", points: 5 }
profiles:
  demo:
    shape: [{ users: 1, for: 2s }]
`;

/** The files of a small sound bundle. */
export const SOUND_BUNDLE: Readonly<Record<string, string>> = {
  'challenge.yaml': CHALLENGE,
  'hidden/api/echo.yaml': SUITE,
  'hidden/load.yaml': LOAD,
  'statement.md': '# Echo\n',
};

/** Writes a bundle for one test and removes it afterwards; `null` leaves a file of the sound bundle out. */
export function makeBundle(changes: Readonly<Record<string, string | null>> = {}): string {
  const directory = temporaryFolder();
  for (const [file, content] of Object.entries({ ...SOUND_BUNDLE, ...changes })) {
    if (content !== null) {
      mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
      writeFileSync(path.join(directory, file), content);
    }
  }
  return directory;
}

function temporaryFolder(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-bundle-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
