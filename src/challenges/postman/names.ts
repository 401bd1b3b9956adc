import type { JsonValue } from '../../domain/json-value.ts';

/** Postman's dynamic variables that have a counterpart; the seed decides their values. */
const DYNAMIC: Readonly<Record<string, string>> = {
  $guid: 'random.uuid',
  $randomUUID: 'random.uuid',
  $randomEmail: 'random.email',
  $randomExampleEmail: 'random.email',
  $randomInt: 'random.int(0,1000)',
  $timestamp: 'random.int(1600000000,1900000000)',
  $randomAlphaNumeric: 'random.slug(1)',
  $randomUserName: 'random.slug',
  $randomPassword: 'random.slug(15)',
  $randomSlug: 'random.slug',
};
const TAKEN = new Set(['random', 'index', 'target']);
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** The name that a Postman variable gets in a suite. */
export function suiteName(name: string): string {
  const plain = name.trim().replaceAll(/\W/g, '_');
  const usable = /^[A-Za-z_]/.test(plain) ? plain : `v_${plain}`;
  return TAKEN.has(usable) ? `my_${usable}` : usable;
}

/** "{{name}}" becomes "${name}"; a literal "${" is escaped. */
export function toTemplate(text: string): string {
  return escapeTemplate(text).replaceAll(
    PLACEHOLDER,
    (_, name: string) => `\${${expressionOf(name.trim())}}`,
  );
}

/** The names of the ordinary variables in a text. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)]
    .map((match) => (match[1] ?? '').trim())
    .filter((name) => !name.startsWith('$'));
}

/** Text that is no template. */
export function escapeTemplate(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** As `toTemplate`, for every text of a JSON value. */
export function toTemplates(value: JsonValue): JsonValue {
  if (typeof value === 'string') {
    return toTemplate(value);
  }
  if (Array.isArray(value)) {
    return value.map(toTemplates);
  }
  return value !== null && typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [toTemplate(key), toTemplates(item)]))
    : value;
}

function expressionOf(name: string): string {
  if (!name.startsWith('$')) {
    return suiteName(name);
  }
  return DYNAMIC[name] ?? (/int|number|digit/i.test(name) ? 'random.int' : 'random.word');
}
