/** One `${…}` of a template, understood. */
export type TemplateExpression =
  | { kind: 'variable'; name: string; path: (string | number)[] }
  | { kind: 'random'; what: RandomKind; parameters: number[] };

/** A template taken apart: literal text and expressions in turn. */
export type TemplatePart =
  | { kind: 'text'; text: string }
  | { kind: 'expression'; raw: string; expression: TemplateExpression | undefined };

export const RANDOM_KINDS = ['slug', 'int', 'word', 'email', 'uuid'] as const;
export type RandomKind = (typeof RANDOM_KINDS)[number];

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)\}/g;
const RANDOM = /^random\.([a-z]+)(?:\((\s*\d{1,9}\s*(?:,\s*\d{1,9}\s*)?)\))?$/;
const VARIABLE = /^([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*|\[\d{1,6}\])*)$/;

/** Splits a text at its `${…}`. `$${` stands for a literal `${`. Expressions that make no sense are undefined. */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    pushText(parts, text.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[1] === undefined) {
      pushText(parts, '${');
    } else {
      const raw = match[1].trim();
      parts.push({ kind: 'expression', raw, expression: parseExpression(raw) });
    }
  }
  pushText(parts, text.slice(end));
  return parts;
}

function pushText(parts: TemplatePart[], text: string): void {
  const last = parts.at(-1);
  if (text === '') {
    return;
  }
  if (last?.kind === 'text') {
    last.text += text;
  } else {
    parts.push({ kind: 'text', text });
  }
}

function parseExpression(raw: string): TemplateExpression | undefined {
  const random = RANDOM.exec(raw);
  if (random) {
    const what = RANDOM_KINDS.find((kind) => kind === random[1]);
    const parameters = (random[2] ?? '').split(',').filter(Boolean).map(Number);
    return what && takesParameters(what, parameters) ? { kind: 'random', what, parameters } : undefined;
  }
  const variable = VARIABLE.exec(raw);
  if (!variable?.[1] || variable[1] === 'random') {
    return undefined;
  }
  const path = [...(variable[2] ?? '').matchAll(/\.(\w+)|\[(\d+)\]/g)].map((step) =>
    step[1] === undefined ? Number(step[2]) : step[1],
  );
  return { kind: 'variable', name: variable[1], path };
}

/** `slug(length)` and `int(min, max)` take numbers, the others none. */
function takesParameters(what: RandomKind, parameters: readonly number[]): boolean {
  const [first, second] = parameters;
  switch (what) {
    case 'slug':
      return (
        parameters.length === 0 ||
        (parameters.length === 1 && first !== undefined && first >= 1 && first <= 1000)
      );
    case 'int':
      return parameters.length === 0 || (first !== undefined && second !== undefined && first <= second);
    case 'word':
    case 'email':
    case 'uuid':
      return parameters.length === 0;
  }
}
