interface SecretRule {
  kind: string;
  /** Plain bytes every match holds; searched first, because it is much cheaper than the pattern. */
  marker: string;
  pattern: RegExp;
}

/** Every quantifier is bounded, so that no content makes a search slow. */
const RULES: readonly SecretRule[] = [
  { kind: 'an AWS access key', marker: 'AKIA', pattern: /\bAKIA[0-9A-Z]{16}\b/ },
  { kind: 'an AWS access key', marker: 'ASIA', pattern: /\bASIA[0-9A-Z]{16}\b/ },
  {
    kind: 'a private key',
    marker: 'PRIVATE KEY',
    pattern: /-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----/,
  },
  { kind: 'a GitHub token', marker: 'gh', pattern: /\bgh[pousr]_[A-Za-z0-9]{36}/ },
  { kind: 'a GitHub token', marker: 'github_pat_', pattern: /\bgithub_pat_[A-Za-z0-9_]{40}/ },
  { kind: 'a GitLab token', marker: 'glpat-', pattern: /\bglpat-[A-Za-z0-9_-]{20}/ },
  { kind: 'a Slack token', marker: 'xox', pattern: /\bxox[abprs]-[A-Za-z0-9-]{10}/ },
  { kind: 'a Stripe key', marker: 'k_live_', pattern: /\b[sr]k_live_[A-Za-z0-9]{16}/ },
  { kind: 'a Google API key', marker: 'AIza', pattern: /\bAIza[A-Za-z0-9_-]{35}/ },
  {
    kind: 'a package registry token',
    marker: '_auth',
    pattern: /:?_auth(?:Token)?\s{0,3}=\s{0,3}[^\s$"']{8}/,
  },
  { kind: 'a package registry token', marker: 'npm_', pattern: /\bnpm_[A-Za-z0-9]{36}/ },
];

const PYPIRC_PASSWORD = /^[ \t]{0,8}password[ \t]{0,8}[=:][ \t]{0,8}\S{8}/m;
const ENV_SECRET =
  /^[ \t]{0,8}(?:export )?[A-Z0-9_]{0,64}(?:TOKEN|SECRET|PASSWORD|PASSWD|API_KEY|PRIVATE_KEY|ACCESS_KEY)[A-Z0-9_]{0,32}=["']?(?!change|your|example|xxx|test|dummy|\$|<)[^\s"']{8}/im;
const ENV_NAME = /^\.env(?:\.|$)/;
const ENV_TEMPLATE = /\.(?:example|sample|template|dist)$/;
/** Packages bring test keys of their own. */
const VENDORED = /(?:^|\/)node_modules\//;
const SCANNED_BYTES = 1024 ** 2;

/**
 * The kinds of likely secrets in the first MiB of a file, each once, as phrases ("a private key").
 * Never returns any part of the content.
 */
export function findSecretKinds(path: string, content: Buffer): string[] {
  if (VENDORED.test(path)) {
    return [];
  }
  const scanned = content.subarray(0, SCANNED_BYTES);
  const candidates = RULES.filter(({ marker }) => scanned.includes(marker));
  const name = path.slice(path.lastIndexOf('/') + 1);
  const environment = ENV_NAME.test(name) && !ENV_TEMPLATE.test(name);
  if (candidates.length === 0 && !environment && name !== '.pypirc') {
    return [];
  }
  const text = scanned.toString('latin1');
  const kinds = candidates.filter(({ pattern }) => pattern.test(text)).map(({ kind }) => kind);
  if (environment && kinds.length === 0 && ENV_SECRET.test(text)) {
    kinds.push('a password or token');
  }
  if (name === '.pypirc' && PYPIRC_PASSWORD.test(text)) {
    kinds.push('a package registry token');
  }
  return [...new Set(kinds)];
}
