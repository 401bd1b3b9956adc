import type { Exchange } from '../../src/domain/grader-protocol.ts';
import type { RecordedExchange } from './exchange-record.ts';

/** Beyond it exchanges of passed checks are left out, then those of failed ones. */
const MAX_HAR_BYTES = 6 * 1024 * 1024;

interface Page {
  id: string;
  title: string;
  failed: boolean;
  /** JSON of its entries. */
  entries: string[];
  startedDateTime: string;
  comment: string | undefined;
}

/** All exchanges of a stage as an HTTP archive (HAR 1.2), a page for each check. */
export class HarLog {
  readonly #pages: Page[] = [];

  /** Files the exchanges of one check; `left` more were made than are kept. */
  add(
    check: { id: string; name: string; failed: boolean },
    recorded: readonly RecordedExchange[],
    left: number,
  ): void {
    const [first] = recorded;
    if (first) {
      this.#pages.push({
        id: check.id,
        title: check.name,
        failed: check.failed,
        entries: recorded.map((one) => JSON.stringify(toEntry(check.id, one))),
        startedDateTime: first.startedAt,
        comment: left > 0 ? `${left} more exchanges of this check are not shown` : undefined,
      });
    }
  }

  /** The archive as a file. */
  toBuffer(): Buffer {
    const { pages, left } = this.#fitting();
    const head = {
      version: '1.2',
      creator: { name: 'assay', version: '1' },
      ...(left > 0 ? { comment: `${left} checks are left out: the archive would be too large` } : {}),
      pages: pages.map(({ id, title, startedDateTime, comment }) => ({
        startedDateTime,
        id,
        title,
        pageTimings: {},
        ...(comment === undefined ? {} : { comment }),
      })),
    };
    const entries = pages.flatMap((page) => page.entries).join(',');
    return Buffer.from(`{"log":${JSON.stringify(head).slice(0, -1)},"entries":[${entries}]}}\n`);
  }

  #fitting(): { pages: Page[]; left: number } {
    let room = MAX_HAR_BYTES;
    const kept = new Set<Page>();
    for (const failed of [true, false]) {
      for (const page of this.#pages.filter((one) => one.failed === failed)) {
        const bytes = page.entries.reduce((sum, entry) => sum + Buffer.byteLength(entry), 0);
        if (bytes <= room) {
          room -= bytes;
          kept.add(page);
        }
      }
    }
    return { pages: this.#pages.filter((page) => kept.has(page)), left: this.#pages.length - kept.size };
  }
}

function toEntry(pageref: string, { at, startedAt, exchange }: RecordedExchange): object {
  const { durationMs, error } = exchange;
  return {
    pageref,
    startedDateTime: startedAt,
    time: durationMs,
    request: harRequest(exchange),
    response: harResponse(exchange),
    cache: {},
    timings: { send: 0, wait: durationMs, receive: 0 },
    comment: error === undefined ? at : `${at}: ${error}`,
  };
}

function harRequest({ request }: Exchange): object {
  const { method, url, headers, body, bodyTruncated } = request;
  const query = URL.canParse(url) ? [...new URL(url).searchParams] : [];
  return {
    method,
    url,
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: harHeaders(headers),
    queryString: query.map(([name, value]) => ({ name, value })),
    ...(body === undefined
      ? {}
      : {
          postData: {
            mimeType: valueOf(headers, 'content-type') ?? '',
            text: body,
            ...(bodyTruncated === true ? { comment: 'the body was longer' } : {}),
          },
        }),
    headersSize: -1,
    bodySize: sizeOf(headers, body, bodyTruncated),
  };
}

/** HAR has no other way to say that no answer came than the status 0. */
function harResponse({ response }: Exchange): object {
  const { status, headers, body, bodyTruncated } = response ?? { status: 0, headers: [] };
  return {
    status,
    statusText: '',
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: harHeaders(headers),
    content: {
      size: Math.max(0, sizeOf(headers, body, bodyTruncated)),
      mimeType: valueOf(headers, 'content-type') ?? '',
      ...(body === undefined ? {} : { text: body }),
      ...(bodyTruncated === true ? { comment: 'the body was longer' } : {}),
    },
    redirectURL: valueOf(headers, 'location') ?? '',
    headersSize: -1,
    bodySize: sizeOf(headers, body, bodyTruncated),
  };
}

function harHeaders(headers: readonly [string, string][]): object[] {
  return headers.map(([name, value]) => ({ name, value }));
}

function valueOf(headers: readonly [string, string][], wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

function sizeOf(
  headers: readonly [string, string][],
  body: string | undefined,
  truncated: boolean | undefined,
): number {
  const stated = Number(valueOf(headers, 'content-length') ?? Number.NaN);
  if (Number.isSafeInteger(stated) && stated >= 0) {
    return stated;
  }
  return truncated === true ? -1 : Buffer.byteLength(body ?? '');
}
