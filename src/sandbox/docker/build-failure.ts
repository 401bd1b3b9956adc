/** What a package client said when a dependency step failed. */
export type InstallFailure =
  /** The index or registry did not answer: ours, worth another try. */
  | { kind: 'registry-unreachable'; message: string }
  /** It answered that there is no such package or version, or the manifest is wrong: the candidate's. */
  | { kind: 'package'; message: string };

/** Codes of npm's network layer and of the registry's own trouble. */
const NPM_OURS =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|ESOCKETTIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ERR_SOCKET_TIMEOUT|ERR_STREAM_PREMATURE_CLOSE|FETCH_ERROR|EIDLETIMEOUT|ECONNECTIONTIMEOUT|E401|E403|E407|E429|E5\d\d|\w*CERT\w*|UNABLE_TO_\w+)$/;
const NPM_SENTENCES: Readonly<Record<string, string>> = {
  E404: 'npm found no such package in the registry',
  ETARGET: 'npm found no such version in the registry',
  EUSAGE: 'package.json and the lockfile do not agree; run "npm install" and hand in the new lockfile',
  EINTEGRITY: 'a package differs from the digest in the lockfile',
  ERESOLVE: 'npm cannot satisfy all peer dependencies at once',
  EALLOWGIT: 'a dependency comes from a git repository, which is not allowed',
  EALLOWREMOTE: 'a dependency comes from an address outside the registry, which is not allowed',
  EBADPLATFORM: 'a package is not made for this platform',
};
/** How pip reports on the way to an index; at the start of a line, where no package name can put it. */
const PIP_UNREACHABLE =
  /^(?:WARNING: Retrying \(Retry\(|ERROR: Could not install packages due to an OSError: HTTPS?ConnectionPool|Could not fetch URL .*: (?:There was a problem confirming|connection error|timed out))|^.*pip\._vendor\.\S*(?:ReadTimeoutError|ConnectionError|NewConnectionError)|^ERROR: HTTP error (?:401|403|407|429|5\d\d) while getting/m;
const PIP_MISSING = /^ERROR: No matching distribution found for (.{1,200})$/m;
/** How the go command reports on the way to a proxy, and what a proxy that answered said. */
const GO_UNREACHABLE =
  /^go: .*(?:dial tcp|no such host|connection refused|i\/o timeout|TLS handshake|tls: |x509: |unexpected EOF|: (?:401|403|407|429|5\d\d) )/m;
const GO_OTHER = /^go: (?!downloading )(.{1,300})$/m;
const PIP_OTHER = /^ERROR: (?!Could not find a version)(.{1,300})$/m;

/**
 * Reads the output of npm, pip or go; undefined when it says none. Whole lines of the clients are matched, not words,
 * so that a package called "ENOTFOUND" proves nothing.
 */
export function explainInstallFailure(log: string): InstallFailure | undefined {
  return explainNpm(log) ?? explainGo(log) ?? explainPip(log);
}

function explainNpm(log: string): InstallFailure | undefined {
  const code = /^npm (?:error|ERR!) code (\w+)$/m.exec(log)?.[1];
  if (code === undefined) {
    return undefined;
  }
  if (NPM_OURS.test(code)) {
    return {
      kind: 'registry-unreachable',
      message: `npm could not fetch from the package registry (${code})`,
    };
  }
  const detail =
    /^npm (?:error|ERR!) (?:404|notarget) +(The requested resource '.{1,200}?'|'.{1,200}|No matching .{1,200})/m
      .exec(log)?.[1]
      ?.replace('The requested resource ', '')
      .replace(/\.$/, '');
  const sentence = NPM_SENTENCES[code] ?? 'npm could not install the packages';
  return {
    kind: 'package',
    message: detail === undefined ? `${sentence} (${code})` : `${sentence} (${code}: ${detail})`,
  };
}

function explainGo(log: string): InstallFailure | undefined {
  if (GO_UNREACHABLE.test(log)) {
    return { kind: 'registry-unreachable', message: 'go could not reach the module proxy' };
  }
  const other = GO_OTHER.exec(log)?.[1];
  return other === undefined
    ? undefined
    : { kind: 'package', message: `go could not fetch modules: ${other}` };
}

function explainPip(log: string): InstallFailure | undefined {
  const missing = PIP_MISSING.exec(log)?.[1];
  const unreachable = PIP_UNREACHABLE.test(log);
  if (unreachable) {
    return { kind: 'registry-unreachable', message: 'pip could not reach the package index' };
  }
  if (missing !== undefined) {
    return {
      kind: 'package',
      message: `pip found no wheel that matches ${missing}; source packages are not built`,
    };
  }
  const other = PIP_OTHER.exec(log)?.[1];
  return other === undefined ? undefined : { kind: 'package', message: `pip could not install: ${other}` };
}
