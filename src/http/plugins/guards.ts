import helmet from '@fastify/helmet';
import underPressure from '@fastify/under-pressure';
import type { App } from '../app-types.ts';
import type { HttpSettings } from '../http-settings.ts';
import { Problem } from '../problems.ts';

const MAX_URL = 4096;
const MAX_PARAMETERS = 40;
/** RFC 2046 allows a boundary of 1 to 70 characters; longer ones are attacks on parsers. */
const BOUNDARY = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i;
const BOUNDARY_TEXT = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/;
const MEDIA_TYPE = /^(?:application\/json(?:\s*;\s*charset="?utf-8"?)?|multipart\/form-data\s*;.+)$/i;
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE']);
const RETRY_SECONDS = 2;

/** What is refused before any route looks at it, and the headers of every answer. */
export async function registerGuards(app: App, settings: HttpSettings): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: settings.maxEventLoopDelayMs,
    pressureHandler: () => {
      throw new Problem('BUSY', 'The service is overloaded.', { retryAfterSeconds: RETRY_SECONDS });
    },
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    // Behind TLS or not is the operator's choice; a promise of TLS made over plain HTTP is ignored anyway.
    strictTransportSecurity: { maxAge: 31_536_000 },
  });
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('cache-control', 'no-store').header('x-request-id', request.id);
    checkAddress(request.raw.url ?? '', request.query as object);
    if (!METHODS.has(request.method)) {
      void reply.header('allow', [...METHODS].join(', '));
      throw new Problem('METHOD_NOT_ALLOWED', 'This method is not used here.');
    }
    checkBody(request.headers['content-type'], request.headers['content-encoding']);
  });
}

function checkAddress(url: string, query: object): void {
  if (url.length > MAX_URL) {
    throw new Problem('URL_TOO_LONG', `The address is longer than ${MAX_URL} characters.`);
  }
  if (Object.keys(query).length > MAX_PARAMETERS) {
    throw new Problem('MALFORMED_REQUEST', `The address has more than ${MAX_PARAMETERS} parameters.`);
  }
  if (/%00/.test(url)) {
    throw new Problem('MALFORMED_REQUEST', 'The address holds a NUL.');
  }
}

function checkBody(type: string | undefined, encoding: string | undefined): void {
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('UNSUPPORTED_TYPE', 'Bodies are taken as they are, without Content-Encoding.');
  }
  if (type === undefined) {
    return;
  }
  if (!MEDIA_TYPE.test(type)) {
    throw new Problem('UNSUPPORTED_TYPE', 'Send application/json, or multipart/form-data for a file.');
  }
  if (/^multipart/i.test(type)) {
    const match = BOUNDARY.exec(type);
    if (!BOUNDARY_TEXT.test(match?.[1] ?? match?.[2] ?? '')) {
      throw new Problem('MALFORMED_UPLOAD', 'The boundary must be 1 to 70 allowed characters.');
    }
  }
}
