/** One request, ready to be sent. Header values hold latin-1 code units only. */
export interface HttpRequest {
  method: string;
  /** Path and query, percent-encoded. */
  path: string;
  headers: [string, string][];
  body: Buffer | undefined;
}

export interface HttpLimits {
  /** For the connection alone, ms. */
  connectTimeoutMs: number;
  /** For the whole exchange, ms. */
  timeoutMs: number;
  maxBodyBytes: number;
  /** Undo the content encoding of the answer. */
  decompress: boolean;
}

/** Ways an exchange can end without a whole answer. */
export type HttpFailureKind =
  | 'CONN_REFUSED'
  | 'CONN_RESET'
  | 'CONN_CLOSED'
  | 'CONN_FAILED'
  | 'TIMEOUT'
  | 'BAD_HTTP'
  | 'BODY_TOO_LARGE'
  | 'BAD_ENCODING';

export interface HttpResponse {
  status: number;
  /** As sent: names in their own case, repeated headers one by one. */
  headers: [string, string][];
  body: Buffer;
  /** The body went on beyond what is here. */
  bodyTruncated: boolean;
}

/** An answer, a failure, or both when the failure came after the headers. */
export interface HttpOutcome {
  response?: HttpResponse;
  failure?: { kind: HttpFailureKind; message: string };
  durationMs: number;
}

/** The service closed, reset or refused the connection: it may have ended. */
export function isConnectionFailure(outcome: HttpOutcome): boolean {
  return outcome.failure?.kind.startsWith('CONN_') ?? false;
}

/** All values of a header joined with ", ", or undefined. */
export function headerOf(response: HttpResponse, name: string): string | undefined {
  const values = response.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ');
}
