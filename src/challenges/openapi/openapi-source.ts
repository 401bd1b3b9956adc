import type { SpecProblem } from '../../domain/errors.ts';
import { isJsonObject } from '../../domain/json-value.ts';
import { didYouMean } from '../did-you-mean.ts';
import { problemAt } from '../schema-problems.ts';
import type { SpecYaml, YamlPath } from '../spec-yaml.ts';

/** A longer chain of references is a circle. */
const MAX_HOPS = 20;

/** A value of the document with its place, for messages. */
export interface Placed<T = unknown> {
  value: T;
  place: YamlPath;
}

/** Reads one OpenAPI document: follows its references and gathers what is wrong with it. */
export class OpenApiSource {
  readonly yaml: SpecYaml;
  /** 3.0 has a dialect of JSON Schema of its own. */
  readonly old: boolean;
  readonly #problems: SpecProblem[];
  readonly #reported = new Set<string>();

  constructor(yaml: SpecYaml, problems: SpecProblem[]) {
    this.yaml = yaml;
    this.#problems = problems;
    const version = isJsonObject(yaml.value) ? yaml.value['openapi'] : undefined;
    this.old = typeof version === 'string' && version.startsWith('3.0');
  }

  /** One mistake is reported once, however often its place is read. */
  report(place: YamlPath, message: string, mend?: string): void {
    const problem = problemAt(this.yaml, place, message, mend);
    const key = `${problem.path} ${message}`;
    if (!this.#reported.has(key)) {
      this.#reported.add(key);
      this.#problems.push(problem);
    }
  }

  /** The value itself or, where it is a reference, what that points at. Undefined once a mistake was reported. */
  follow(from: Placed): Placed | undefined {
    let at = from;
    for (let hops = 0; hops < MAX_HOPS; hops += 1) {
      const ref = isJsonObject(at.value) ? at.value['$ref'] : undefined;
      if (ref === undefined) {
        return at;
      }
      const next = this.lookUp(ref, [...at.place, '$ref']);
      if (!next) {
        return undefined;
      }
      at = next;
    }
    this.report(from.place, 'the references lead in a circle');
    return undefined;
  }

  /** As `follow`, for what must be an object. */
  object(from: Placed, what: string): Placed<Record<string, unknown>> | undefined {
    const found = this.follow(from);
    if (found && isJsonObject(found.value)) {
      return { value: found.value, place: found.place };
    }
    if (found) {
      this.report(found.place, `expected ${what} (an object)`);
    }
    return undefined;
  }

  /** What a local reference points at. */
  lookUp(ref: unknown, place: YamlPath): Placed | undefined {
    if (typeof ref !== 'string' || !ref.startsWith('#/')) {
      const mend = 'copy what it points at into this document; nothing is fetched';
      this.report(place, `the reference ${JSON.stringify(ref)} leads out of the document`, mend);
      return undefined;
    }
    let value: unknown = this.yaml.value;
    const path: string[] = [];
    for (const step of ref.slice(2).split('/').map(unescapePointer)) {
      const inside = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
      if (!inside) {
        const near = isJsonObject(value) ? didYouMean(step, Object.keys(value)) : undefined;
        this.report(place, `"${ref}" points at nothing`, near && `did you mean "${near}"?`);
        return undefined;
      }
      value = (value as Record<string, unknown>)[step];
      path.push(step);
    }
    return { value, place: path };
  }
}

function unescapePointer(step: string): string {
  const decoded = /%[0-9A-Fa-f]{2}/.test(step) ? decodeQuietly(step) : step;
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~');
}

function decodeQuietly(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
