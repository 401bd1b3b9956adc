import type { JsonValue } from '../../src/domain/json-value.ts';

/** Shorter texts occur everywhere by chance; hiding them would hide everything else. */
const MIN_SECRET_CHARS = 4;
const MIN_CREDENTIAL_CHARS = 8;
/** Of one check, and of them what one message may give: whoever floods us with cookies hides no more. */
const MAX_SECRETS = 200;
const MAX_OF_MESSAGE = 20;
const MAX_CHARS = 32 * 1024;
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
  /** With what is shown instead. */
  readonly #known = new Map<string, string>();
  #chars = 0;
  /** In all their forms, the longest first; made when it is needed. */
  #marks: [text: string, mark: string][] | undefined;

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
    const credentials = headers.flatMap(([name, value]) => credentialsOf(name.toLowerCase(), value));
    for (const credential of credentials.slice(0, MAX_OF_MESSAGE)) {
      this.#keep(credential, HIDDEN, MIN_CREDENTIAL_CHARS);
    }
  }

  /** A copy of plain data in which every text is free of secrets. */
  redact<T>(value: T): T {
    return this.#known.size === 0 ? value : (this.#redactDeep(value) as T);
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
    this.#marks ??= inAllForms(this.#known);
    let shown = text;
    for (const [secret, mark] of this.#marks) {
      shown = shown.replaceAll(secret, () => mark);
    }
    return withoutCutSecret(shown, this.#marks);
  }

  #keep(secret: string, mark: string, minChars: number): void {
    if (secret.length < minChars || this.#known.has(secret)) {
      return;
    }
    if (this.#known.size < MAX_SECRETS && this.#chars + secret.length <= MAX_CHARS) {
      this.#known.set(secret, mark);
      this.#chars += secret.length;
      this.#marks = undefined;
    }
  }
}

function credentialsOf(name: string, value: string): string[] {
  if (name === 'authorization' || name === 'proxy-authorization' || WHOLLY_SECRET.has(name)) {
    return [value.slice(value.indexOf(' ') + 1)];
  }
  if (name !== 'cookie' && name !== 'set-cookie') {
    return [];
  }
  const pairs = name === 'cookie' ? value.split(';') : value.split(';', 1);
  return pairs.map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
}

/** As they stand in JSON and in addresses, too. The longest first: one secret may be a part of another. */
function inAllForms(known: ReadonlyMap<string, string>): [string, string][] {
  const forms = new Map<string, string>();
  for (const [secret, mark] of known) {
    for (const form of [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(wellFormed(secret)),
    ]) {
      forms.set(form, forms.get(form) ?? mark);
    }
  }
  return [...forms].toSorted((a, b) => b[0].length - a[0].length);
}

/** A text that was cut may end in the beginning of a secret. */
function withoutCutSecret(text: string, marks: readonly [string, string][]): string {
  const end = text.endsWith('…') ? text.length - 1 : text.length;
  for (const [secret, mark] of marks) {
    const beginning = secret.slice(0, MIN_CREDENTIAL_CHARS);
    const first = Math.max(0, end - secret.length + 1);
    for (let at = text.indexOf(beginning, first); at !== -1; at = text.indexOf(beginning, at + 1)) {
      if (secret.length > MIN_CREDENTIAL_CHARS && secret.startsWith(text.slice(at, end))) {
        return `${text.slice(0, at)}${mark}${text.slice(end)}`;
      }
    }
  }
  return text;
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
