import { STATUS_CODES } from 'node:http';

/** Every code of the HTTP interface's own, with its status. Codes are stable; programs may rely on them. */
export const PROBLEMS = {
  MALFORMED_REQUEST: { status: 400, title: 'The request cannot be read' },
  MALFORMED_JSON: { status: 400, title: 'The body is not the JSON it should be' },
  MALFORMED_UPLOAD: { status: 400, title: 'The upload is not one multipart file' },
  INVALID_FIELDS: { status: 400, title: 'Some fields are wrong' },
  INVALID_CURSOR: { status: 400, title: 'The cursor is none of ours' },
  TOKEN_IN_URL: { status: 400, title: 'A token must not stand in an address' },
  TOKEN_REQUIRED: { status: 401, title: 'No valid token was sent' },
  FORBIDDEN: { status: 403, title: 'This role may not do that' },
  WINDOW_NOT_OPEN: { status: 403, title: 'Submissions are not taken yet' },
  WINDOW_CLOSED: { status: 403, title: 'Submissions are no longer taken' },
  INVITATION_REVOKED: { status: 403, title: 'The invitation was withdrawn' },
  NO_ATTEMPTS_LEFT: { status: 403, title: 'All attempts are used' },
  NOT_FOUND: { status: 404, title: 'There is no such thing here' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This method is not used here' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  IDEMPOTENCY_CONFLICT: { status: 409, title: 'The idempotency key belongs to another upload' },
  RUN_ENDED: { status: 409, title: 'The run has ended' },
  RUN_NOT_ENDED: { status: 409, title: 'The run has not ended' },
  WRONG_STATE: { status: 409, title: 'Its state does not allow that' },
  CHECK_REQUIRED: { status: 409, title: 'The version has no passing check' },
  FORMAT_UNAVAILABLE: { status: 409, title: 'There is no such rendering of this report' },
  TOO_LARGE: { status: 413, title: 'Too large' },
  URL_TOO_LONG: { status: 414, title: 'The address is too long' },
  UNSUPPORTED_TYPE: { status: 415, title: 'This kind of body is not read here' },
  SPEC_INVALID: { status: 422, title: 'The challenge bundle has mistakes' },
  WEBHOOK_REFUSED: { status: 422, title: 'Webhooks are not sent there' },
  WEBHOOK_UNRESOLVED: { status: 422, title: 'The host of the webhook cannot be found' },
  NO_START_COMMAND: { status: 422, title: 'Nothing says how to start the project' },
  RUNTIME_AMBIGUOUS: { status: 422, title: 'The project could be of several runtimes' },
  RUNTIME_NOT_ALLOWED: { status: 422, title: 'The challenge takes no project of this runtime' },
  MANIFEST_INVALID: { status: 422, title: 'A file that says how to build or start is wrong' },
  DEPENDENCY_SOURCE: { status: 422, title: 'A dependency comes from where builds may not go' },
  UPLOAD_REFUSED: { status: 422, title: 'The upload was refused' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  BUSY: { status: 503, title: 'Too much is going on; try again soon' },
  UNAVAILABLE: { status: 503, title: 'The service cannot answer right now' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** Whether a code of another layer is one that stands in the table as it is. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

interface ProblemOptions {
  /** More members of the document; must hold nothing of ours that a caller should not see. */
  members?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
  /** Of a code that another layer made, such as ARCHIVE_LINK. */
  as?: { code: string; status: number };
}

/** An error that is answered as it stands: everything in it may be seen by the caller. */
export class Problem extends Error {
  readonly code: string;
  readonly statusCode: number;
  readonly title: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = options.as?.code ?? code;
    this.statusCode = options.as?.status ?? PROBLEMS[code].status;
    this.title = PROBLEMS[code].title;
    this.members = options.members ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The answer for what is not there, or not for this caller's eyes: the two look the same. */
export function notFound(what: string): Problem {
  return new Problem('NOT_FOUND', `There is no such ${what}.`);
}

/** The RFC 9457 document. `type` points at the list of codes on the page for people. */
export function problemDocument(problem: Problem, requestId: string): Record<string, unknown> {
  return {
    type: `/docs#${problem.code}`,
    title: problem.title,
    status: problem.statusCode,
    detail: problem.message,
    code: problem.code,
    requestId,
    ...problem.members,
  };
}

/** For answers that are written straight to a socket. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`;
}
