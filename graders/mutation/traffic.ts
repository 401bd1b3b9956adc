/** Header lines as sent: names in their own case, repeated ones one by one. */
export type Headers = [string, string][];

export interface ProxyRequest {
  method: string;
  /** Path and query, as sent. */
  url: string;
  headers: Headers;
  body: Buffer;
}

export interface ProxyAnswer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** Value of the first header of that name. */
export function headerOf(headers: Headers, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

export function withoutHeaders(headers: Headers, ...names: string[]): Headers {
  return headers.filter(([key]) => !names.includes(key.toLowerCase()));
}

/** The message with another body, and framing that fits. */
export function withBody<T extends { headers: Headers; body: Buffer }>(message: T, body: Buffer): T {
  const headers = withoutHeaders(message.headers, 'content-length', 'transfer-encoding', 'content-md5');
  return { ...message, body, headers: [...headers, ['content-length', String(body.length)]] };
}

/** The body as JSON, or undefined. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
