import { HttpError } from './http.js';

const MAX_URL_LENGTH = 2048;
const MAX_TTL_SECONDS = 31_536_000;
const ALIAS = /^[A-Za-z0-9_-]{3,32}$/;
/** Aliases that would hide our own paths. */
const RESERVED = new Set(['links', 'health']);
/** Scheme, host and the printable ASCII of RFC 3986; URL.canParse then checks the parts. */
const HTTP_URL = /^https?:\/\/(?![/?#])[!-~]+$/i;

/** Checks the body of POST /links. Returns { url, alias, ttlSeconds }, the last two possibly undefined. */
export function parseNewLink(body) {
  return { url: parseUrl(body.url), alias: parseAlias(body.alias), ttlSeconds: parseTtl(body.ttlSeconds) };
}

function parseUrl(url) {
  if (typeof url !== 'string' || url.length > MAX_URL_LENGTH || !HTTP_URL.test(url) || !URL.canParse(url)) {
    throw new HttpError(
      422,
      'invalid_url',
      `"url" must be an absolute http or https URL of at most ${MAX_URL_LENGTH} ASCII characters.`,
    );
  }
  return url;
}

function parseAlias(alias) {
  if (alias === undefined) {
    return undefined;
  }
  if (typeof alias !== 'string' || !ALIAS.test(alias) || RESERVED.has(alias)) {
    throw new HttpError(
      422,
      'invalid_alias',
      '"alias" must be 3 to 32 letters, digits, "_" or "-", and not "links" or "health".',
    );
  }
  return alias;
}

function parseTtl(ttlSeconds) {
  if (ttlSeconds === undefined) {
    return undefined;
  }
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) {
    throw new HttpError(422, 'invalid_ttl', `"ttlSeconds" must be a whole number from 1 to ${MAX_TTL_SECONDS}.`);
  }
  return ttlSeconds;
}

/** Checks the query of GET /links. Returns { limit, before }: `before` is a position in the order of creation. */
export function parsePage(query) {
  const limit = query.get('limit') ?? '20';
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    throw new HttpError(400, 'invalid_query', '"limit" must be a whole number from 1 to 100.');
  }
  return { limit: Number(limit), before: decodeCursor(query.get('cursor')) };
}

export function encodeCursor(position) {
  return Buffer.from(`p${position}`).toString('base64url');
}

function decodeCursor(cursor) {
  if (cursor === null) {
    return Number.POSITIVE_INFINITY;
  }
  const position = /^p(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (position === undefined) {
    throw new HttpError(400, 'invalid_query', '"cursor" must be a "nextCursor" of an earlier answer.');
  }
  return Number(position);
}
