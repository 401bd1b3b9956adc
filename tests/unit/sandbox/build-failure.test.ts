import { describe, expect, it } from 'vitest';
import { explainInstallFailure } from '../../../src/sandbox/docker/build-failure.ts';

describe('npm', () => {
  it.each([
    'ENOTFOUND',
    'ECONNREFUSED',
    'ETIMEDOUT',
    'EAI_AGAIN',
    'E503',
    'E401',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'ERR_SOCKET_TIMEOUT',
  ])('code %s is ours', (code) => {
    const log = `npm warn x\nnpm error code ${code}\nnpm error syscall getaddrinfo\n`;
    expect(explainInstallFailure(log)?.kind).toBe('registry-unreachable');
  });

  it("a package or version that does not exist is the candidate's, whatever its name", () => {
    const log =
      "npm error code E404\nnpm error 404 Not Found - GET x\nnpm error 404\nnpm error 404  'ENOTFOUND@1' is not in this registry.\n";
    expect(explainInstallFailure(log)).toEqual({
      kind: 'package',
      message: "npm found no such package in the registry (E404: 'ENOTFOUND@1' is not in this registry)",
    });
    const version = 'npm error code ETARGET\nnpm error notarget No matching version found for ms@99.\n';
    expect(explainInstallFailure(version)).toMatchObject({
      kind: 'package',
      message: expect.stringContaining('ms@99'),
    });
    expect(explainInstallFailure('npm error code EUSAGE\n')).toMatchObject({
      message: expect.stringContaining('lockfile'),
    });
  });
});

describe('pip', () => {
  const RETRY =
    "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError': /simple/x/\n";
  const MISSING =
    'ERROR: Could not find a version that satisfies x==9\nERROR: No matching distribution found for x==9\n';

  it('without an answer of the index is ours', () => {
    expect(explainInstallFailure(RETRY + MISSING)?.kind).toBe('registry-unreachable');
  });

  it("with an answer is the candidate's", () => {
    expect(explainInstallFailure(MISSING)).toEqual({
      kind: 'package',
      message: 'pip found no wheel that matches x==9; source packages are not built',
    });
    expect(explainInstallFailure('ERROR: Cannot install a and b: conflict\n')?.kind).toBe('package');
  });
});

describe('go', () => {
  it('without an answer of the proxy is ours', () => {
    const refused =
      'go: example.org/a@v1.0.0: Get "http://proxy.example/example.org/a/@v/v1.0.0.mod": dial tcp 127.0.0.1:9: connect: connection refused\n';
    expect(explainInstallFailure(refused)?.kind).toBe('registry-unreachable');
  });

  it("with an answer is the candidate's", () => {
    const gone = 'go: example.org/a@v1.0.0: reading http://proxy.example/a: 404 Not Found\n';
    expect(explainInstallFailure(gone)).toEqual({
      kind: 'package',
      message:
        'go could not fetch modules: example.org/a@v1.0.0: reading http://proxy.example/a: 404 Not Found',
    });
    const newer = 'go: go.mod requires go >= 1.99 (running go 1.24.4; GOTOOLCHAIN=local)\n';
    expect(explainInstallFailure(newer)?.message).toContain('go >= 1.99');
    expect(explainInstallFailure('go: downloading example.org/a v1.0.0\n')).toBeUndefined();
  });
});

it('says nothing about anything else', () => {
  expect(explainInstallFailure('sh: no such file\nETIMEDOUT\n')).toBeUndefined();
});
