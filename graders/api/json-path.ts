import { JSONPathEnvironment, JSONPathRecursionLimitError } from 'json-p3';
import type { JSONPathQuery } from 'json-p3';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { CheckFailure, SuiteFault } from './failures.ts';

/** Above the depth to which bodies are parsed. */
const environment = new JSONPathEnvironment({ maxRecursionDepth: 1000 });

/**
 * What an RFC 9535 path selects: the value (undefined when there is none) for a path that can name one place
 * only, else the list of all values. Throws `SuiteFault` for a path that is none.
 */
export function selectPath(path: string, document: JsonValue): JsonValue | undefined {
  const query = compile(path);
  try {
    const values = query.query(document).values() as JsonValue[];
    return query.singularQuery() ? values[0] : values;
  } catch (error) {
    if (error instanceof JSONPathRecursionLimitError) {
      throw new CheckFailure(`the body is too deep for ${path}`);
    }
    throw error;
  }
}

function compile(path: string): JSONPathQuery {
  try {
    return environment.compile(path);
  } catch (error) {
    throw new SuiteFault(
      `"${path}" is not a JSONPath: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
