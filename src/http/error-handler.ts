import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { AssayError, InfraError, IntakeError, SpecError } from '../domain/errors.ts';
import { isRefusalCode, REFUSALS } from '../intake/refusals.ts';
import type { ProblemCode } from './problems.ts';
import { isProblemCode, Problem, problemDocument } from './problems.ts';

const RETRY_SECONDS = 5;
const INTERNAL_DETAIL = 'The fault is ours and was logged. Quote the request id when you report it.';
/** An answer can get lost after the work was done: only a repetition tells. */
const UNAVAILABLE_DETAIL =
  'A part of the service is away, and whether this call took effect is not known. ' +
  'Repeat it; an upload with the same Idempotency-Key is taken once.';
/** Faults of ours that no repetition mends. */
const BROKEN: ReadonlySet<string> = new Set(['STORE_FAILED', 'BLOB_MISSING', 'BLOB_DAMAGED']);

/** What the framework and its plugins throw, as codes of ours. Their own words never go out. */
const FRAMEWORK: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_TYPE',
    'Send application/json, or multipart/form-data for a file.',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['TOO_LARGE', 'The body is larger than this call takes.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MALFORMED_REQUEST', 'Content-Length does not match the body.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['MALFORMED_JSON', 'The body is empty.'],
  FST_ERR_CTP_EMPTY_TYPE: ['UNSUPPORTED_TYPE', 'Say with Content-Type what the body is.'],
  FST_ERR_BAD_URL: ['MALFORMED_REQUEST', 'The address is not properly encoded.'],
  FST_ERR_MAX_PARAM_LENGTH: ['URL_TOO_LONG', 'A part of the address is too long.'],
  FST_ERR_ROUTE_METHOD_NOT_SUPPORTED: ['METHOD_NOT_ALLOWED', 'This method is not used here.'],
  FST_REQ_FILE_TOO_LARGE: ['TOO_LARGE', 'The file is larger than this call takes.'],
  FST_PARTS_LIMIT: ['MALFORMED_UPLOAD', 'The upload has too many parts; send one file.'],
  FST_FILES_LIMIT: ['MALFORMED_UPLOAD', 'The upload has more than one file.'],
  FST_FIELDS_LIMIT: ['MALFORMED_UPLOAD', 'The upload has too many fields; send one file.'],
  FST_PROTO_VIOLATION: ['MALFORMED_UPLOAD', 'A field has a name that is not allowed.'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: ['UNSUPPORTED_TYPE', 'Send the file as multipart/form-data.'],
  FST_INVALID_JSON_FIELD_ERROR: ['MALFORMED_UPLOAD', 'A field of the upload cannot be read.'],
  FST_MP_PREMATURE_CLOSE: ['MALFORMED_UPLOAD', 'The upload ended early.'],
};

/** The one place where errors become answers. */
export function answerError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error);
  if (problem.statusCode >= 500 && problem.code !== 'BUSY') {
    request.log.error({ err: error, route: request.routeOptions.url }, 'request failed');
  }
  sendProblem(problem, request, reply);
}

/** Writes a problem document as the answer. */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  if (problem.retryAfterSeconds !== undefined) {
    void reply.header('retry-after', String(problem.retryAfterSeconds));
  }
  if (problem.statusCode === 401) {
    void reply.header('www-authenticate', 'Bearer');
  }
  void reply
    .code(problem.statusCode)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer((document: unknown) => JSON.stringify(document))
    .send(problemDocument(problem, request.id));
}

function toProblem(error: FastifyError | Error): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (error instanceof AssayError) {
    return fromOurs(error);
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    return invalidFields(error.validation, (error as FastifyError).validationContext);
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = FRAMEWORK[code];
  if (known !== undefined) {
    return new Problem(known[0], known[1]);
  }
  if ('statusCode' in error && error.statusCode === 400) {
    return new Problem('MALFORMED_REQUEST', 'The request cannot be read.');
  }
  return new Problem('INTERNAL', INTERNAL_DETAIL);
}

function fromOurs(error: AssayError): Problem {
  const mend = error.mend === undefined ? {} : { mend: error.mend };
  if (error instanceof SpecError) {
    return new Problem('SPEC_INVALID', `The bundle has ${error.problems.length} mistake(s).`, {
      members: { problems: error.problems },
    });
  }
  if (error.blame !== 'infra' && isProblemCode(error.code)) {
    return new Problem(error.code, error.message, { members: mend });
  }
  if (error instanceof IntakeError) {
    const status = isRefusalCode(error.code) ? REFUSALS[error.code].httpStatus : 422;
    return new Problem('UPLOAD_REFUSED', error.message, { members: mend, as: { code: error.code, status } });
  }
  if (error.code === 'CURSOR_INVALID') {
    return new Problem('INVALID_CURSOR', 'Take the cursor from `nextCursor` of a page of this list.');
  }
  if (error instanceof InfraError) {
    return BROKEN.has(error.code)
      ? new Problem('INTERNAL', INTERNAL_DETAIL)
      : new Problem('UNAVAILABLE', UNAVAILABLE_DETAIL, { retryAfterSeconds: RETRY_SECONDS });
  }
  return new Problem('UPLOAD_REFUSED', error.message, {
    members: mend,
    as: { code: error.code, status: 422 },
  });
}

interface ValidationIssue {
  instancePath: string;
  message?: string;
}

function invalidFields(issues: readonly ValidationIssue[], context: string | undefined): Problem {
  const errors = issues.slice(0, 20).map(({ instancePath, message }) => ({
    in: context ?? 'body',
    field: instancePath.replace(/^\//, '').replaceAll('/', '.'),
    message: message ?? 'is wrong',
  }));
  const first = errors[0];
  const detail = first
    ? `${[first.in, first.field].join(' ').trim()}: ${first.message}`
    : 'A field is wrong.';
  return new Problem('INVALID_FIELDS', detail, { members: { errors } });
}
