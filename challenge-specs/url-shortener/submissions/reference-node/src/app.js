import { HttpError, readJsonObject, sendEmpty, sendError, sendJson } from './http.js';
import { encodeCursor, parseNewLink, parsePage } from './validation.js';

const CODE = '([A-Za-z0-9_-]{3,32})';

/** Makes the request listener of the service. */
export function makeApp(store) {
  /** Tried in order, so the fixed paths come before /{code}. HEAD is served wherever GET is. */
  const routes = [
    { path: /^\/health$/, handlers: { GET: health } },
    { path: /^\/links$/, handlers: { GET: listLinks, POST: createLink } },
    { path: new RegExp(`^/links/${CODE}$`), handlers: { GET: showLink, DELETE: deleteLink } },
    { path: new RegExp(`^/${CODE}$`), handlers: { GET: followLink } },
  ];

  return async function handle(req, res) {
    try {
      const [path, query = ''] = req.url.split('?', 2);
      const { handler, code } = findHandler(routes, req.method, path);
      await handler({ req, res, code, query: new URLSearchParams(query) });
    } catch (error) {
      sendError(res, error);
    }
  };

  function health({ res }) {
    sendJson(res, 200, { status: 'ok' });
  }

  async function createLink({ req, res }) {
    const link = await store.create(parseNewLink(await readJsonObject(req)));
    if (link === undefined) {
      throw new HttpError(409, 'alias_taken', 'This alias is taken.');
    }
    sendJson(res, 201, toJson(link), { location: `/${link.code}` });
  }

  function listLinks({ res, query }) {
    const { limit, before } = parsePage(query);
    const page = store.page(limit, before);
    sendJson(res, 200, {
      links: page.links.map(toJson),
      nextCursor: page.next === null ? null : encodeCursor(page.next),
    });
  }

  function showLink({ res, code }) {
    sendJson(res, 200, toJson(liveLink(code)));
  }

  async function deleteLink({ res, code }) {
    await store.delete(knownLink(code));
    sendEmpty(res, 204);
  }

  function followLink({ req, res, code }) {
    const link = liveLink(code);
    if (req.method === 'GET') {
      store.recordVisit(link);
    }
    // A cached redirect would be followed without us: not counted, and still there after a deletion.
    sendEmpty(res, 302, { location: link.url, 'cache-control': 'no-store', 'content-length': 0 });
  }

  function knownLink(code) {
    const link = store.find(code);
    if (link === undefined) {
      throw new HttpError(404, 'not_found', 'There is no such link.');
    }
    return link;
  }

  function liveLink(code) {
    const link = knownLink(code);
    if (!store.isLive(link)) {
      throw new HttpError(410, 'gone', 'This link was deleted or has expired.');
    }
    return link;
  }
}

function findHandler(routes, method, path) {
  for (const { path: pattern, handlers } of routes) {
    const match = pattern.exec(path);
    if (match) {
      const handler = handlers[method === 'HEAD' ? 'GET' : method];
      if (handler === undefined) {
        const allow = Object.keys(handlers).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
        throw new HttpError(405, 'method_not_allowed', `${method} is not allowed here.`, { allow: allow.join(', ') });
      }
      return { handler, code: match[1] };
    }
  }
  throw new HttpError(404, 'not_found', 'There is nothing at this path.');
}

function toJson({ code, url, visits, createdAt, expiresAt }) {
  return { code, url, visits, createdAt, expiresAt };
}
