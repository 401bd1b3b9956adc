import { z } from 'zod';

const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const KeyValue = z.object({
  key: Text.nullish(),
  value: Text.nullish(),
  disabled: z.boolean().optional(),
  type: z.string().optional(),
  src: z.unknown().optional(),
});
export type KeyValue = z.output<typeof KeyValue>;

const Event = z.object({
  listen: z.string(),
  disabled: z.boolean().optional(),
  script: z
    .object({ exec: z.union([z.string(), z.array(z.string())]).optional(), src: z.unknown().optional() })
    .optional(),
});
export type PostmanEvent = z.output<typeof Event>;

const AuthSchema = z.looseObject({ type: z.string() });
export type PostmanAuth = z.output<typeof AuthSchema>;

const UrlSchema = z.union([
  z.string(),
  z.object({
    raw: z.string().optional(),
    host: z.union([z.string(), z.array(z.string())]).optional(),
    path: z.union([z.string(), z.array(z.union([z.string(), z.object({ value: z.string() })]))]).optional(),
    query: z.array(KeyValue).optional(),
    variable: z.array(KeyValue).optional(),
  }),
]);
export type PostmanUrl = z.output<typeof UrlSchema>;

const BodySchema = z.object({
  mode: z.string().optional(),
  raw: z.string().optional(),
  urlencoded: z.array(KeyValue).optional(),
  formdata: z.array(KeyValue).optional(),
  graphql: z.object({ query: z.string().optional(), variables: z.string().optional() }).optional(),
  options: z.unknown().optional(),
  disabled: z.boolean().optional(),
});
export type PostmanBody = z.output<typeof BodySchema>;

const RequestSchema = z.union([
  z.string().transform((url) => ({
    method: 'GET',
    url: url as PostmanUrl,
    header: [],
    body: undefined,
    auth: undefined,
  })),
  z.object({
    method: z.string().default('GET'),
    url: UrlSchema.default(''),
    header: z
      .union([z.array(KeyValue), z.string()])
      .nullish()
      .transform((headers) => (typeof headers === 'string' ? headerLines(headers) : (headers ?? []))),
    body: BodySchema.nullish(),
    auth: AuthSchema.nullish(),
  }),
]);
export type PostmanRequest = z.output<typeof RequestSchema>;

export interface PostmanItem {
  name?: string | undefined;
  request?: PostmanRequest | undefined;
  item?: PostmanItem[] | undefined;
  event?: PostmanEvent[] | undefined;
  auth?: PostmanAuth | null | undefined;
}
const ItemSchema: z.ZodType<PostmanItem, unknown> = z.object({
  name: z.string().optional(),
  request: RequestSchema.optional(),
  item: z.lazy(() => z.array(ItemSchema)).optional(),
  event: z.array(Event).optional(),
  auth: AuthSchema.nullish(),
});

/** A Postman collection, format v2.1 (v2.0 is read as well), as far as an import looks at it. */
export const CollectionSchema = z.object({
  info: z.object({ name: z.string(), schema: z.string().optional() }),
  item: z.array(ItemSchema),
  variable: z.array(KeyValue).optional(),
  event: z.array(Event).optional(),
  auth: AuthSchema.nullish(),
});
export type Collection = z.output<typeof CollectionSchema>;

function headerLines(text: string): KeyValue[] {
  return text
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => ({
      key: line.slice(0, line.indexOf(':')),
      value: line.slice(line.indexOf(':') + 1).trim(),
    }));
}

/** One request with all that applies to it from the folders around it. */
export interface FlatRequest {
  /** "Articles / Create article" */
  place: string;
  name: string;
  /** Names of the folders around it, the outermost first. */
  folder: string[];
  request: PostmanRequest;
  /** The nearest auth that is not "inherit". */
  auth: PostmanAuth | undefined;
  /** Of the collection, then of each folder, then its own. */
  events: PostmanEvent[];
}

/** All requests of a collection in the order in which Postman sends them. */
export function flattenCollection(collection: Collection): FlatRequest[] {
  const outer = { folder: [], auth: collection.auth ?? undefined, events: collection.event ?? [] };
  return collection.item.flatMap((item) => flattenItem(item, outer));
}

function flattenItem(
  item: PostmanItem,
  outer: { folder: string[]; auth: PostmanAuth | undefined; events: PostmanEvent[] },
): FlatRequest[] {
  const name = item.name ?? 'unnamed';
  const events = [...outer.events, ...(item.event ?? [])];
  if (item.item) {
    const inner = { folder: [...outer.folder, name], auth: item.auth ?? outer.auth, events };
    return item.item.flatMap((one) => flattenItem(one, inner));
  }
  if (!item.request) {
    return [];
  }
  const auth = item.request.auth ?? item.auth ?? outer.auth;
  const place = [...outer.folder, name].join(' / ');
  return [{ place, name, folder: outer.folder, request: item.request, auth, events }];
}
