import { readFileSync } from 'node:fs';

const PROFILE_FILE = new URL('../../../docker/seccomp.json', import.meta.url);

let cached: string | undefined;

/**
 * Our allow-list of system calls as one line of JSON, for "seccomp=<json>" in SecurityOpt: the engine takes a profile
 * inline only. Read once. What is in it and why is told by the comments in docker/seccomp.json.
 */
export function seccompProfileJson(): string {
  cached ??= JSON.stringify(JSON.parse(readFileSync(PROFILE_FILE, 'utf8')));
  return cached;
}
