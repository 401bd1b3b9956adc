import type { z } from 'zod';

type Schema = z.core.$ZodTypes;

/**
 * The keys that an object at `path` below `schema` may have, for "did you mean"; several branches of a union
 * are put together. Empty when the place takes any key or does not exist.
 */
export function allowedKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let places: Schema[] = unwrap(schema as unknown as Schema);
  for (const step of path) {
    places = places.flatMap((place) => descend(place, step)).flatMap(unwrap);
  }
  const keys = places.flatMap((place) =>
    place._zod.def.type === 'object' ? Object.keys(place._zod.def.shape) : [],
  );
  return [...new Set(keys)];
}

/** The schemas that stand behind defaults, optionals, transforms, lazies and unions. */
function unwrap(schema: Schema): Schema[] {
  const { def } = schema._zod;
  if (def.type === 'pipe') {
    return [...unwrap(def.in as Schema), ...unwrap(def.out as Schema)];
  }
  if (def.type === 'union') {
    return def.options.flatMap((option) => unwrap(option as Schema));
  }
  if (def.type === 'lazy') {
    return unwrap(def.getter() as Schema);
  }
  return 'innerType' in def ? unwrap(def.innerType as Schema) : [schema];
}

function descend(schema: Schema, step: PropertyKey): Schema[] {
  const { def } = schema._zod;
  if (def.type === 'object') {
    const next = Object.hasOwn(def.shape, step) ? def.shape[String(step)] : def.catchall;
    return next === undefined ? [] : [next as Schema];
  }
  if (def.type === 'array') {
    return [def.element as Schema];
  }
  if (def.type === 'record') {
    return [def.valueType as Schema];
  }
  return [];
}
