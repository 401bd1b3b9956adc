import http from 'node:http';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const port = Number(process.env.PORT ?? 8080);
const dataDir = process.env.DATA_DIR ?? '/data';
const file = join(dataDir, 'links.json');

mkdirSync(dataDir, { recursive: true });

/** Code → URL; a deleted link is null. */
const links = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};

function save() {
  writeFileSync(file, JSON.stringify(links));
}

function send(res, status, value, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(value === undefined ? undefined : JSON.stringify(value));
}

function fail(res, status, message) {
  send(res, status, { error: message });
}

function create(req, res) {
  let body = '';
  req.on('data', (chunk) => (body += chunk));
  req.on('end', () => {
    let data;
    try {
      data = JSON.parse(body);
    } catch {
      return fail(res, 400, 'bad json');
    }
    const unknown = Object.keys(data ?? {}).filter((key) => key !== 'url');
    if (unknown.length > 0) {
      return fail(res, 422, `unknown member ${unknown[0]}`);
    }
    if (!/^https?:\/\/\S+$/.test(data?.url)) {
      return fail(res, 422, 'bad url');
    }
    const code = (Object.keys(links).length + 1).toString(36);
    links[code] = data.url;
    save();
    send(res, 201, { code, url: data.url }, { location: `/${code}` });
  });
}

const server = http.createServer((req, res) => {
  const [, first, code] = req.url.split('?')[0].split('/');
  if (first === 'health') {
    return send(res, 200, { ok: true });
  }
  if (first === 'links' && code === undefined) {
    if (req.method === 'POST') {
      return create(req, res);
    }
    return send(res, 200, { links: Object.entries(links).map(([key, url]) => ({ code: key, url })) });
  }
  const key = first === 'links' ? code : first;
  if (!(key in links)) {
    return fail(res, 404, 'not found');
  }
  if (first === 'links' && req.method === 'DELETE') {
    links[key] = null;
    save();
    return send(res, 204);
  }
  if (links[key] === null) {
    return fail(res, 410, 'deleted');
  }
  if (first === 'links') {
    return send(res, 200, { code, url: links[key] });
  }
  send(res, 301, undefined, { location: links[key] });
});

server.listen(port);
