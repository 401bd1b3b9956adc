import type { JsonValue } from '../../domain/json-value.ts';
import type { Collection } from './collection.ts';
import type { ImportedRequest } from './import-collection.ts';
import { suiteName, toTemplates } from './names.ts';
import type { Notice } from './script.ts';

/** Values that several checks, or two passes of one, would fight over. */
const MADE_ANEW: readonly [RegExp, string][] = [
  [/e-?mail/i, '${random.email}'],
  [/^user_?name$|_user_?name$|^login$/i, '${random.slug}'],
];

/**
 * `vars` and `secrets` of the suite: the collection's variables that are used, what scripts set to fixed values, and an
 * empty text for what nothing sets.
 */
export function suiteVariables(
  collection: Collection,
  requests: readonly ImportedRequest[],
  notices: Notice[],
): { vars?: Record<string, JsonValue>; secrets?: string[] } {
  const used = new Set(requests.flatMap(({ needs }) => [...needs]));
  const vars = declaredVariables(collection, used, notices);
  addSettings(vars, requests, used, notices);
  const captured = new Set(requests.flatMap(({ gives }) => [...gives]));
  for (const name of used) {
    if (!Object.hasOwn(vars, name) && !captured.has(name)) {
      vars[name] = '';
      notices.push({
        place: 'variables',
        message: `"${name}" is set nowhere in the collection; it is empty`,
      });
    }
  }
  const secrets = (collection.variable ?? [])
    .filter(({ type }) => type === 'secret')
    .map(({ key }) => suiteName(key ?? ''))
    .filter((name) => Object.hasOwn(vars, name));
  return {
    ...(Object.keys(vars).length > 0 ? { vars } : {}),
    ...(secrets.length > 0 ? { secrets } : {}),
  };
}

function declaredVariables(
  collection: Collection,
  used: ReadonlySet<string>,
  notices: Notice[],
): Record<string, JsonValue> {
  const vars: Record<string, JsonValue> = {};
  for (const { key, value } of collection.variable ?? []) {
    const name = suiteName(key ?? '');
    if (used.has(name)) {
      vars[name] = variableValue(key ?? '', value ?? '', notices);
    }
  }
  return vars;
}

/** What scripts set to fixed values; in a suite a variable has one value, the first. */
function addSettings(
  vars: Record<string, JsonValue>,
  requests: readonly ImportedRequest[],
  used: ReadonlySet<string>,
  notices: Notice[],
): void {
  for (const { flat, findings } of requests) {
    for (const [key, value] of findings.settings) {
      const name = suiteName(key);
      const before = vars[name];
      if (used.has(name) && before !== undefined && before !== '' && before !== value) {
        const message = `sets "${key}", which has a value already; the first value is used`;
        notices.push({ place: flat.place, message });
      } else if (used.has(name)) {
        vars[name] = value;
      }
    }
  }
}

function variableValue(key: string, value: string, notices: Notice[]): JsonValue {
  const anew = MADE_ANEW.find(([pattern]) => pattern.test(key));
  if (!anew || value.includes('{{$')) {
    return toTemplates(value);
  }
  const message = `"${key}" is made anew for every check (${anew[1]}) in place of ${JSON.stringify(value)}`;
  notices.push({ place: 'variables', message });
  return anew[1];
}
