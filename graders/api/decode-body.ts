import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { headerOf } from './http-types.ts';
import type { HttpResponse } from './http-types.ts';

type Decoded =
  | { ok: true; body: Buffer }
  | { ok: false; kind: 'BODY_TOO_LARGE' | 'BAD_ENCODING'; message: string };

/** No honest service wraps an answer more often; each layer costs a pass. */
const MAX_LAYERS = 2;

const DECODERS: Readonly<
  Record<string, (data: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** Undoes the content encoding of an answer; a result above `maxBytes` is refused without being made. */
export async function decodeBody(response: HttpResponse, maxBytes: number): Promise<Decoded> {
  const layers = (headerOf(response, 'content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (layers.length > MAX_LAYERS) {
    return { ok: false, kind: 'BAD_ENCODING', message: `the body is encoded ${layers.length} times` };
  }
  let body = response.body;
  for (const layer of layers.toReversed()) {
    const decode = DECODERS[layer];
    if (!decode) {
      return {
        ok: false,
        kind: 'BAD_ENCODING',
        message: `the content encoding "${layer.slice(0, 40)}" was not offered`,
      };
    }
    try {
      body = await decode(body, { maxOutputLength: maxBytes });
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
        ? { ok: false, kind: 'BODY_TOO_LARGE', message: `the decoded body is larger than ${maxBytes} bytes` }
        : { ok: false, kind: 'BAD_ENCODING', message: `the body is not ${layer}` };
    }
  }
  return { ok: true, body };
}
