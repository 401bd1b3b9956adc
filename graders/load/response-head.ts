const CR = 13;
const SPACE = 32;
const TAB = 9;

/** What the head of a response says about its body and its connection. */
export interface Framing {
  chunked: boolean;
  /** Content-Length; undefined when the body ends with the connection. */
  length: number | undefined;
  keepAlive: boolean;
}

/** Name and value of every header line of a response head; folded lines are joined by a space. */
export function headerLines(head: string): [string, string][] {
  const lines: [string, string][] = [];
  for (const line of head.split('\r\n').slice(1)) {
    const previous = lines.at(-1);
    if (previous && (line.startsWith(' ') || line.startsWith('\t'))) {
      previous[1] = `${previous[1]} ${line.trim()}`;
    } else {
      const colon = line.indexOf(':');
      lines.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
  }
  return lines;
}

/** The status of a response head, or undefined when its first line is not HTTP/1.1 or 1.0. */
export function readStatusLine(head: string): { status: number; isHttp10: boolean } | undefined {
  const isHttp11 = head.startsWith('HTTP/1.1 ');
  if (!isHttp11 && !head.startsWith('HTTP/1.0 ')) {
    return undefined;
  }
  const status =
    (head.charCodeAt(9) - 48) * 100 + (head.charCodeAt(10) - 48) * 10 + (head.charCodeAt(11) - 48);
  const digits = isDigit(head.charCodeAt(9)) && isDigit(head.charCodeAt(10)) && isDigit(head.charCodeAt(11));
  const after = head.charCodeAt(12);
  const ended = head.length === 12 || after === SPACE || after === CR;
  return digits && ended && status >= 100 ? { status, isHttp10: !isHttp11 } : undefined;
}

/** Finds the end of the body and the fate of the connection, or says what is wrong with the headers. */
export function readFraming(head: string, isHttp10: boolean): Framing | string {
  const framing: Framing = { chunked: false, length: undefined, keepAlive: !isHttp10 };
  let transferEncoding: string | undefined;
  let at = head.indexOf('\r\n');
  while (at !== -1) {
    const start = at + 2;
    const next = head.indexOf('\r\n', start);
    const end = next === -1 ? head.length : next;
    at = next;
    if (isBlank(head.charCodeAt(start))) {
      continue;
    }
    const colon = nameEnd(head, start, end);
    if (colon === -1) {
      return `not a header line: ${JSON.stringify(head.slice(start, Math.min(end, start + 60)))}`;
    }
    switch (colon - start) {
      case 10:
        if (isNamed(head, start, colon, 'connection')) {
          applyConnection(framing, head.slice(colon + 1, end));
        }
        break;
      case 14:
        if (isNamed(head, start, colon, 'content-length')) {
          const problem = applyLength(framing, head.slice(colon + 1, end).trim());
          if (problem !== undefined) {
            return problem;
          }
        }
        break;
      case 17:
        if (isNamed(head, start, colon, 'transfer-encoding')) {
          const value = head.slice(colon + 1, end).trim();
          transferEncoding = transferEncoding === undefined ? value : `${transferEncoding}, ${value}`;
        }
        break;
      default:
    }
  }
  return transferEncoding === undefined ? framing : withTransferEncoding(framing, transferEncoding);
}

function withTransferEncoding(framing: Framing, transferEncoding: string): Framing | string {
  if (framing.length !== undefined) {
    return 'both Content-Length and Transfer-Encoding';
  }
  const codings = transferEncoding.toLowerCase().split(',');
  framing.chunked = codings.at(-1)?.trim() === 'chunked';
  return framing;
}

function applyConnection(framing: Framing, value: string): void {
  for (const option of value.toLowerCase().split(',')) {
    if (option.trim() === 'close') {
      framing.keepAlive = false;
      return;
    }
    framing.keepAlive ||= option.trim() === 'keep-alive';
  }
}

function applyLength(framing: Framing, value: string): string | undefined {
  if (!/^\d{1,15}$/.test(value)) {
    return `not a Content-Length: ${JSON.stringify(value.slice(0, 40))}`;
  }
  if (framing.length !== undefined) {
    return 'more than one Content-Length';
  }
  framing.length = Number(value);
  return undefined;
}

/** The place of the colon after a header name, or -1 when there is no well-formed name. */
function nameEnd(head: string, start: number, end: number): number {
  for (let at = start; at < end; at += 1) {
    const code = head.charCodeAt(at);
    if (code === 0x3a) {
      return at > start ? at : -1;
    }
    if (code <= SPACE || code >= 0x7f) {
      return -1;
    }
  }
  return -1;
}

function isNamed(head: string, start: number, colon: number, name: string): boolean {
  return (
    (head.charCodeAt(start) | 0x20) === name.charCodeAt(0) && head.slice(start, colon).toLowerCase() === name
  );
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
