/** Requests may carry at most this much. */
export const MAX_BODY_BYTES = 16 * 1024;

/** An answer other than success, with its stable code. */
export class HttpError extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export function sendJson(res, status, value, headers = {}) {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    ...headers,
  });
  // Node leaves the body out by itself when it answers a HEAD request.
  res.end(body);
}

export function sendEmpty(res, status, headers = {}) {
  res.writeHead(status, headers);
  res.end();
}

export function sendError(res, error) {
  if (error instanceof HttpError) {
    sendJson(res, error.status, { error: { code: error.code, message: error.message } }, error.headers);
    return;
  }
  console.error(error);
  sendJson(res, 500, { error: { code: 'internal_error', message: 'Something went wrong on our side.' } });
}

/** Reads the body as a JSON object, or throws the HttpError that says why it is none. */
export async function readJsonObject(req) {
  const mediaType = (req.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new HttpError(415, 'unsupported_media_type', 'Send the body as application/json.');
  }
  const value = parseJson(await readBody(req));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError(400, 'invalid_json', 'The body must be a JSON object.');
  }
  return value;
}

/** Reads to the end even when the body is too large: a client that still sends would miss the answer. */
async function readBody(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk);
    } else if (size > 64 * MAX_BODY_BYTES) {
      break;
    }
  }
  if (size > MAX_BODY_BYTES) {
    throw new HttpError(413, 'body_too_large', `The body may have at most ${MAX_BODY_BYTES} bytes.`, {
      connection: 'close',
    });
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HttpError(400, 'invalid_json', 'The body is not valid JSON.');
  }
}
