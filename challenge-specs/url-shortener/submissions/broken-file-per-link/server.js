import http from 'node:http';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PORT = Number(process.env.PORT ?? 8080);
const DATA_DIR = process.env.DATA_DIR ?? '/data';
const MAX_BODY_BYTES = 16 * 1024;
const CODE = /^[A-Za-z0-9_-]{3,32}$/;

// ---- storage: a file for each link, named by its code ----

/** The codes in the order of their creation. */
let codes = [];

function load() {
  mkdirSync(DATA_DIR, { recursive: true });
  codes = readdirSync(DATA_DIR)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(DATA_DIR, name), 'utf8')))
    .sort((a, b) => a.position - b.position)
    .map((link) => link.code);
}

function fileOf(code) {
  if (!CODE.test(code)) {
    throw new Error(`${code} must not become the name of a file`);
  }
  return join(DATA_DIR, `${code}.json`);
}

function save(link) {
  const draft = join(DATA_DIR, `${link.code}.new`);
  writeFileSync(draft, JSON.stringify(link));
  renameSync(draft, fileOf(link.code));
}

function newCode() {
  let code;
  do {
    code = randomBytes(6).toString('base64url');
  } while (existsSync(fileOf(code)));
  return code;
}

function createLink({ url, alias, ttlSeconds }) {
  if (alias !== undefined && existsSync(fileOf(alias))) {
    throw new HttpError(409, 'alias_taken', 'This alias is taken.');
  }
  const now = Date.now();
  const link = {
    code: alias ?? newCode(),
    position: codes.length,
    url,
    visits: 0,
    createdAt: new Date(now).toISOString(),
    expiresAt: ttlSeconds === undefined ? null : new Date(now + ttlSeconds * 1000).toISOString(),
    deleted: false,
  };
  save(link);
  codes.push(link.code);
  return link;
}

function countVisit(link) {
  save({ ...link, visits: link.visits + 1 });
}

function deleteLink(link) {
  save({ ...link, deleted: true });
}

function isLive(link) {
  return !link.deleted && (link.expiresAt === null || Date.now() < Date.parse(link.expiresAt));
}

function find(code) {
  try {
    return JSON.parse(readFileSync(fileOf(code), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') {
      throw new HttpError(404, 'not_found', 'There is no such link.');
    }
    throw error;
  }
}

function findLive(code) {
  const link = find(code);
  if (!isLive(link)) {
    throw new HttpError(410, 'gone', 'This link is gone.');
  }
  return link;
}

function listLinks(limit, before) {
  const page = [];
  let position = Math.min(before, codes.length);
  while (position > 0 && page.length < limit) {
    position -= 1;
    const link = find(codes[position]);
    if (isLive(link)) {
      page.push(link);
    }
  }
  return { page, next: position > 0 ? String(position) : null };
}

// ---- validation ----

function checkNewLink({ url, alias, ttlSeconds }) {
  const wellFormed = typeof url === 'string' && url.length <= 2048 && /^https?:\/\/(?![/?#])[!-~]+$/i.test(url);
  if (!wellFormed || !URL.canParse(url)) {
    throw new HttpError(422, 'invalid_url', 'url must be an http or https URL.');
  }
  if (alias !== undefined && (typeof alias !== 'string' || !CODE.test(alias) || ['links', 'health'].includes(alias))) {
    throw new HttpError(422, 'invalid_alias', 'alias must be 3 to 32 letters, digits, _ or -.');
  }
  if (ttlSeconds !== undefined && !(Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= 31_536_000)) {
    throw new HttpError(422, 'invalid_ttl', 'ttlSeconds must be a whole number from 1 to 31536000.');
  }
}

function checkPage(query) {
  const limit = query.get('limit') ?? '20';
  const cursor = query.get('cursor') ?? 'Infinity';
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    throw new HttpError(400, 'invalid_query', 'limit must be from 1 to 100.');
  }
  if (!/^(\d{1,9}|Infinity)$/.test(cursor)) {
    throw new HttpError(400, 'invalid_query', 'This is not one of our cursors.');
  }
  return [Number(limit), Number(cursor)];
}

// ---- HTTP ----

class HttpError extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    Object.assign(this, { status, code, headers });
  }
}

async function readJson(req) {
  const [mediaType] = (req.headers['content-type'] ?? '').toLowerCase().split(';');
  if (mediaType.trim() !== 'application/json') {
    throw new HttpError(415, 'unsupported_media_type', 'Send application/json.');
  }
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk);
    }
  }
  if (size > MAX_BODY_BYTES) {
    throw new HttpError(413, 'body_too_large', 'The body may have 16 KiB.');
  }
  return parseObject(Buffer.concat(chunks));
}

function parseObject(bytes) {
  let value;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HttpError(400, 'invalid_json', 'The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError(400, 'invalid_json', 'The body must be an object.');
  }
  return value;
}

function sendJson(res, status, value, headers = {}) {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers });
  res.end(body);
}

function toJson({ code, url, visits, createdAt, expiresAt }) {
  return { code, url, visits, createdAt, expiresAt };
}

function allow(req, ...methods) {
  if (!methods.includes(req.method)) {
    throw new HttpError(405, 'method_not_allowed', 'Not here.', { allow: methods.join(', ') });
  }
}

async function handle(req, res) {
  const [path, query] = req.url.split('?', 2);
  const [, first, second, ...more] = path.split('/');
  if (path === '/health') {
    allow(req, 'GET', 'HEAD');
    sendJson(res, 200, { status: 'ok' });
  } else if (path === '/links') {
    allow(req, 'GET', 'HEAD', 'POST');
    await handleLinks(req, res, new URLSearchParams(query));
  } else if (first === 'links' && second && more.length === 0) {
    allow(req, 'GET', 'HEAD', 'DELETE');
    handleLink(req, res, second);
  } else if (first && second === undefined) {
    allow(req, 'GET', 'HEAD');
    follow(req, res, first);
  } else {
    throw new HttpError(404, 'not_found', 'There is nothing here.');
  }
}

async function handleLinks(req, res, query) {
  if (req.method === 'POST') {
    const body = await readJson(req);
    checkNewLink(body);
    const link = createLink(body);
    sendJson(res, 201, toJson(link), { location: `/${link.code}` });
  } else {
    const { page, next } = listLinks(...checkPage(query));
    sendJson(res, 200, { links: page.map(toJson), nextCursor: next });
  }
}

function handleLink(req, res, code) {
  if (req.method === 'DELETE') {
    deleteLink(find(code));
    res.writeHead(204).end();
  } else {
    sendJson(res, 200, toJson(findLive(code)));
  }
}

function follow(req, res, code) {
  const link = findLive(code);
  if (req.method === 'GET') {
    countVisit(link);
  }
  res.writeHead(302, { location: link.url, 'cache-control': 'no-store', 'content-length': 0 }).end();
}

load();

const server = http.createServer((req, res) => {
  handle(req, res).catch((error) => {
    const { status = 500, code = 'internal_error', message, headers } = error;
    sendJson(res, status, { error: { code, message } }, headers);
  });
});

server.listen(PORT, () => console.log(`listening on ${PORT}`));

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
