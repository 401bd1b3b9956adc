import type { ChallengeFile } from '../domain/challenge.ts';
import type { SpecProblem } from '../domain/errors.ts';
import { didYouMean } from './did-you-mean.ts';
import type { SpecYaml } from './spec-yaml.ts';

/** A challenge bundle while it is being read. */
export interface Bundle {
  directory: string;
  /** All its files, as sorted paths. */
  files: readonly string[];
  /** challenge.yaml */
  yaml: SpecYaml;
  file: ChallengeFile;
  problems: SpecProblem[];
}

/** What to do about a file that does not exist. */
export function suggestFile(wanted: string, files: readonly string[]): string {
  const near = didYouMean(wanted, files);
  return near ? `did you mean "${near}"?` : 'paths are relative to challenge.yaml';
}
