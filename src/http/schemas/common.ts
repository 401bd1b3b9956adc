import { z } from 'zod';

export const Id = z.uuid();
export const Slug = z
  .string()
  .max(100)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case words joined by "-"');
export const VersionNumber = z.coerce.number().int().min(1).max(1_000_000);
/** A moment as RFC 3339. */
export const Moment = z.iso.datetime({ offset: true });
/** Text of a person, on one line. */
export const Line = z
  .string()
  .trim()
  .min(1)
  .max(200)
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'expected one line without control characters');
export const IdParams = z.strictObject({ id: Id });
export const SlugParams = z.strictObject({ slug: Slug });
/** Which version to grade against; a call that leaves it to us may leave the body out. */
export const VersionChoice = z.strictObject({ version: VersionNumber.optional() }).nullish();
export const VersionParams = z.strictObject({ slug: Slug, version: VersionNumber });

export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(500).optional(),
});

/** What a page of `item` looks like. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** "true" or "false" in an address. */
export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** For the document only: an answer that is a file or a stream, in one of these media types. */
export function fileAnswer(description: string, ...types: readonly string[]) {
  const content = Object.fromEntries(types.map((type) => [type, { schema: z.unknown() }]));
  return { 200: { description, content } };
}

const SpecProblem = z.object({
  file: z.string(),
  line: z.number().int().optional(),
  path: z.string().optional(),
  message: z.string(),
  mend: z.string().optional(),
});

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z
      .array(z.object({ in: z.string(), field: z.string(), message: z.string() }))
      .optional()
      .describe('Of INVALID_FIELDS: each field that is wrong'),
    problems: z.array(SpecProblem).optional().describe('Of SPEC_INVALID: each mistake and its place'),
    mend: z.string().optional().describe('What to do about it'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document; `code` is stable' });
