import type { JsonValue } from '../../src/domain/json-value.ts';

/** Shorter texts occur everywhere by chance; hiding them would hide everything else. */
const MIN_SECRET_CHARS = 4;
const MIN_CREDENTIAL_CHARS = 8;
const HIDDEN = '[redacted]';
const WHOLLY_SECRET = new Set(['x-api-key', 'api-key', 'x-auth-token', 'x-csrf-token']);

/** A header as evidence may show it: what it is for stays, the credential in it goes. */
export function redactHeader(name: string, value: string): string {
  switch (name.toLowerCase()) {
    case 'authorization':
    case 'proxy-authorization':
      return value.includes(' ') ? `${value.slice(0, value.indexOf(' '))} ${HIDDEN}` : HIDDEN;
    case 'cookie':
      return value
        .split(';')
        .map((pair) => hidePair(pair))
        .join(';');
    case 'set-cookie': {
      const [pair = '', ...attributes] = value.split(';');
      return [hidePair(pair), ...attributes].join(';');
    }
    default:
      return WHOLLY_SECRET.has(name.toLowerCase()) ? HIDDEN : value;
  }
}

function hidePair(pair: string): string {
  const equals = pair.indexOf('=');
  return equals === -1 ? HIDDEN : `${pair.slice(0, equals + 1)}${HIDDEN}`;
}

/**
 * Texts of one check that no evidence may show: the values of variables that the suite names as secrets, and the
 * credentials that went over the wire in headers, wherever else they occur.
 */
export class SecretTexts {
  readonly #names: ReadonlySet<string>;
  readonly #marks = new Map<string, string>();
  #longest = 0;

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** Notes the value of a variable when it is a secret one. */
  learn(name: string, value: JsonValue): void {
    if (this.#names.has(name)) {
      for (const text of textsOf(value)) {
        this.#keep(text, `[secret ${name}]`, MIN_SECRET_CHARS);
      }
    }
  }

  /** Notes the credentials in a message's headers. */
  learnHeaders(headers: readonly (readonly [string, string])[]): void {
    for (const [name, value] of headers) {
      const key = name.toLowerCase();
      if (key === 'authorization' || key === 'proxy-authorization' || WHOLLY_SECRET.has(key)) {
        this.#keep(value.slice(value.indexOf(' ') + 1), HIDDEN, MIN_CREDENTIAL_CHARS);
      } else if (key === 'cookie' || key === 'set-cookie') {
        const pairs = key === 'cookie' ? value.split(';') : value.split(';', 1);
        for (const pair of pairs) {
          this.#keep(pair.slice(pair.indexOf('=') + 1).trim(), HIDDEN, MIN_CREDENTIAL_CHARS);
        }
      }
    }
  }

  /** A copy of plain data in which every text is free of secrets. */
  redact<T>(value: T): T {
    return this.#marks.size === 0 ? value : (this.#redactDeep(value) as T);
  }

  #redactDeep(value: unknown): unknown {
    if (typeof value === 'string') {
      return this.#redactText(value);
    }
    if (Array.isArray(value)) {
      return value.map((item: unknown) => this.#redactDeep(item));
    }
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#redactDeep(item)]));
    }
    return value;
  }

  #redactText(text: string): string {
    let shown = text;
    for (const [secret, mark] of this.#marks) {
      shown = shown.replaceAll(secret, () => mark);
    }
    return this.#withoutCutSecret(shown);
  }

  /** A text that was cut may end in the beginning of a secret. */
  #withoutCutSecret(text: string): string {
    const tail = text.slice(-this.#longest - 1).replace(/…$/, '');
    const end = text.endsWith('…') ? text.length - 1 : text.length;
    for (const [secret, mark] of this.#marks) {
      for (
        let length = Math.min(secret.length - 1, tail.length);
        length >= MIN_CREDENTIAL_CHARS;
        length -= 1
      ) {
        if (tail.endsWith(secret.slice(0, length))) {
          return `${text.slice(0, end - length)}${mark}${text.slice(end)}`;
        }
      }
    }
    return text;
  }

  #keep(secret: string, mark: string, minChars: number): void {
    if (secret.length < minChars || this.#marks.has(secret)) {
      return;
    }
    // As it stands in JSON and in addresses, too.
    const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(wellFormed(secret))];
    const known = [...this.#marks, ...forms.map((form): [string, string] => [form, mark])];
    this.#marks.clear();
    // The longest first: one secret may be a part of another.
    for (const [text, shown] of known.toSorted((a, b) => b[0].length - a[0].length)) {
      this.#marks.set(text, this.#marks.get(text) ?? shown);
    }
    this.#longest = Math.max(this.#longest, ...forms.map((form) => form.length));
  }
}

function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

function textsOf(value: JsonValue): string[] {
  if (typeof value === 'string') {
    return [value];
  }
  if (typeof value === 'number') {
    return [String(value)];
  }
  if (Array.isArray(value)) {
    return value.flatMap(textsOf);
  }
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(textsOf) : [];
}
