/** A place in a family of JSON documents, with what stood there. */
export interface Field {
  /** "*" is every element of a list. */
  at: string[];
  kind: 'leaf' | 'list' | 'object';
  values: unknown[];
}

const MAX_DEPTH = 6;
/** Of objects with more members the names are data, as in a map. */
const MAX_MEMBERS = 40;

/** Every place of the documents, the document itself first. Pure; the order is that of the first sight. */
export function fieldsOf(documents: readonly unknown[]): Field[] {
  const fields = new Map<string, Field>();
  for (const document of documents) {
    visit(document, [], fields);
  }
  return [...fields.values()];
}

function visit(value: unknown, at: string[], fields: Map<string, Field>): void {
  const kind = kindOf(value);
  const key = `${kind}:${JSON.stringify(at)}`;
  const field = fields.get(key) ?? { at, kind, values: [] };
  field.values.push(value);
  fields.set(key, field);
  if (at.length >= MAX_DEPTH) {
    return;
  }
  if (Array.isArray(value)) {
    value.forEach((item) => visit(item, [...at, '*'], fields));
  } else if (kind === 'object') {
    const members = Object.entries(value as object);
    for (const [name, item] of members.length <= MAX_MEMBERS ? members : []) {
      visit(item, [...at, name], fields);
    }
  }
}

function kindOf(value: unknown): Field['kind'] {
  if (Array.isArray(value)) {
    return 'list';
  }
  return typeof value === 'object' && value !== null ? 'object' : 'leaf';
}

/** "links[].code" */
export function placeText(at: readonly string[]): string {
  return at.reduce((text, step) => {
    if (step === '*') {
      return `${text}[]`;
    }
    return text === '' ? step : `${text}.${step}`;
  }, '');
}
