/** Requests to paths that no template names. */
export const OTHER_PATH = '(other path)';

/**
 * The template that a path belongs to, "/links/{code}" for "/links/abc?x=1", or OTHER_PATH. Of several the one with
 * more fixed segments wins, as OpenAPI has it.
 */
export function templateOf(path: string, templates: readonly string[]): string {
  const segments = segmentsOf(path);
  const matching = templates.filter((template) => matchesTemplate(segments, segmentsOf(template)));
  return matching.toSorted((a, b) => fixedOf(b) - fixedOf(a))[0] ?? OTHER_PATH;
}

/** "/links/abc?limit=1" becomes ["links", "abc"]. */
export function segmentsOf(path: string): string[] {
  return (path.split(/[?#]/, 1)[0] ?? '').split('/').slice(1);
}

function matchesTemplate(segments: readonly string[], template: readonly string[]): boolean {
  return (
    segments.length === template.length &&
    template.every((part, index) => (isVariable(part) ? segments[index] !== '' : part === segments[index]))
  );
}

function isVariable(part: string): boolean {
  return part.includes('{');
}

function fixedOf(template: string): number {
  return segmentsOf(template).filter((part) => !isVariable(part)).length;
}
