import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMap, isNode, isSeq, LineCounter, parseDocument, type Document, type YAMLError } from 'yaml';
import type { SpecProblem } from '../domain/errors.ts';

/** Larger YAML files are refused; the suites of a whole challenge are a few tens of kilobytes. */
const MAX_YAML_BYTES = 1024 * 1024;
/** Enough for shared snippets, too few for a "billion laughs" document. */
const MAX_ALIASES = 100;
/** Deeper brackets than any suite needs; the parser recurses, so depth is bounded before it runs. */
const MAX_DEPTH = 100;

export type YamlPath = readonly PropertyKey[];

/** One YAML file of a bundle, parsed, with the way back from a value to its line. */
export interface SpecYaml {
  /** Path inside the bundle, for messages. */
  file: string;
  value: unknown;
  /** Line (from 1) of the value at `path`, or of its nearest parent that exists. */
  lineOf(path: YamlPath): number | undefined;
  /** Line (from 1) of the key `key` of the mapping at `path`. */
  lineOfKey(path: YamlPath, key: string): number | undefined;
}

/**
 * Reads and parses `file` (relative to `directory`). Adds what is wrong to `problems` and returns undefined
 * when there is no value to go on with. Never throws for anything the file contains.
 */
export async function readSpecYaml(
  directory: string,
  file: string,
  problems: SpecProblem[],
): Promise<SpecYaml | undefined> {
  const text = await readText(directory, file, problems);
  return text === undefined ? undefined : parseSpecYaml(file, text, problems);
}

/** As `readSpecYaml`, from a text in memory. */
export function parseSpecYaml(file: string, text: string, problems: SpecProblem[]): SpecYaml | undefined {
  const lines = new LineCounter();
  try {
    const tooDeep = lineOfExcessiveDepth(text);
    if (tooDeep !== undefined) {
      problems.push({ file, line: tooDeep, message: `nested deeper than ${MAX_DEPTH} levels` });
      return undefined;
    }
    const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
    const complaints = [...document.errors, ...document.warnings];
    if (complaints.length > 0) {
      problems.push(...complaints.map((complaint) => toProblem(file, complaint)));
      return undefined;
    }
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return {
      file,
      value,
      lineOf: (yamlPath) => lineOf(document, lines, yamlPath),
      lineOfKey: (yamlPath, key) => lineOfKey(document, lines, yamlPath, key),
    };
  } catch (error) {
    // toJS throws on too many aliases and on aliases without an anchor.
    problems.push({ file, message: error instanceof Error ? error.message : 'not readable as YAML' });
    return undefined;
  }
}

async function readText(
  directory: string,
  file: string,
  problems: SpecProblem[],
): Promise<string | undefined> {
  try {
    const location = path.join(directory, file);
    const { size } = await stat(location);
    if (size > MAX_YAML_BYTES) {
      problems.push({
        file,
        message: `${size} bytes are more than the ${MAX_YAML_BYTES} that a YAML file may have`,
        mend: 'split it into several files',
      });
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(location));
  } catch (error) {
    problems.push({ file, message: describeReadError(error) });
    return undefined;
  }
}

function describeReadError(error: unknown): string {
  if (error instanceof TypeError) {
    return 'is not UTF-8 text';
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') {
    return 'does not exist';
  }
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

/**
 * Counts open brackets and indentation steps without understanding quotes: over-counting is harmless
 * because real suites stay far below the limit.
 */
function lineOfExcessiveDepth(text: string): number | undefined {
  let brackets = 0;
  for (const [index, line] of text.split('\n').entries()) {
    for (const char of line) {
      if (char === '[' || char === '{') {
        brackets += 1;
      } else if (char === ']' || char === '}') {
        brackets = Math.max(0, brackets - 1);
      }
    }
    const dashes = /^(?:\s*[-?]\s)+/.exec(line)?.[0].replaceAll(/\s/g, '').length ?? 0;
    const indent = /^ */.exec(line)?.[0].length ?? 0;
    if (brackets + dashes > MAX_DEPTH || indent > 10 * MAX_DEPTH) {
      return index + 1;
    }
  }
  return undefined;
}

function toProblem(file: string, complaint: YAMLError): SpecProblem {
  const message = complaint.message.split(/ at line \d+/)[0] ?? complaint.message;
  const line = complaint.linePos?.[0].line;
  return { file, message: message.trim(), ...(line === undefined ? {} : { line }) };
}

function lineOf(document: Document, lines: LineCounter, yamlPath: YamlPath): number | undefined {
  for (let length = yamlPath.length; length >= 0; length -= 1) {
    const parent = yamlPath.slice(0, length - 1);
    const last = yamlPath[length - 1];
    const keyLine = typeof last === 'string' ? lineOfKey(document, lines, parent, last) : undefined;
    if (keyLine !== undefined) {
      return keyLine;
    }
    const node = document.getIn(yamlPath.slice(0, length), true);
    const start = isNode(node) ? node.range?.[0] : undefined;
    if (start !== undefined) {
      return lines.linePos(start).line;
    }
  }
  return undefined;
}

function lineOfKey(
  document: Document,
  lines: LineCounter,
  yamlPath: YamlPath,
  key: string,
): number | undefined {
  const node = yamlPath.length === 0 ? document.contents : document.getIn(yamlPath, true);
  if (!isMap(node) && !isSeq(node)) {
    return undefined;
  }
  const pair = isMap(node)
    ? node.items.find((item) => isNode(item.key) && item.key.toJS(document) === key)
    : undefined;
  const start = pair && isNode(pair.key) ? pair.key.range?.[0] : undefined;
  return start === undefined ? undefined : lines.linePos(start).line;
}
