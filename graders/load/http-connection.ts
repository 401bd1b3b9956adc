import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { ResponseParser } from './response-parser.ts';

export interface Target {
  address: string;
  port: number;
}

/** How a request's answer is read. */
export interface ExchangeRules {
  isHead: boolean;
  /** May be sent again when a kept-alive connection turns out to be closed. */
  idempotent: boolean;
  /** Bytes of the response body worth keeping. */
  keepBytes: number;
}

/** Who is told how an exchange ended: exactly one of the two, once per `send`. */
export interface ExchangeListener {
  /** The parser holds the response until the next `send`. */
  onResponse(parser: ResponseParser): void;
  onFailure(message: string, cause: FailureCause): void;
}

/**
 * Why there is no response: the `connection` was refused or broke · what came was `malformed` · this side has
 * `given-up` · this machine ran out of something of its `own`, and the service is not to blame.
 */
export type FailureCause = 'connection' | 'malformed' | 'given-up' | 'own';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * Every socket reads into this one buffer: a read is handled to its end before the next one starts, and the
 * parser copies what it keeps.
 */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

/**
 * Not EADDRNOTAVAIL: the pod's ports are shared with the service. One that takes them all, or that wears them out by
 * closing every connection, must not thereby turn its load test into a measurement that failed.
 */
const OUR_ERRORS = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN']);
const ERROR_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  EADDRNOTAVAIL: 'no free port left in the sandbox',
};
const CLOSED_EARLY = 'connection closed without a response';

/** One user's connection: one exchange at a time, kept alive between them, opened again when it must be. */
export class HttpConnection {
  readonly #target: Target;
  readonly #listener: ExchangeListener;
  readonly #parser = new ResponseParser(MAX_BODY_BYTES);
  #socket: Socket | undefined;
  /** The exchange under way. */
  #request: ExchangeRules | undefined;
  #text = '';
  /** The socket has carried a whole exchange before. */
  #reused = false;

  constructor(target: Target, listener: ExchangeListener) {
    this.#target = target;
    this.#listener = listener;
  }

  /** Sends a whole request as it goes over the wire; the exchange before it must have ended. */
  send(text: string, request: ExchangeRules): void {
    this.#request = request;
    this.#text = text;
    this.#parser.begin(request.isHead, request.keepBytes);
    this.#socket ??= this.#open();
    this.#socket.write(text);
  }

  /** Ends the exchange under way as failed and closes the connection. */
  abort(message: string): void {
    this.#fail(message, 'given-up');
  }

  /** Closes the connection. An exchange under way ends without a word. */
  close(): void {
    this.#request = undefined;
    this.#drop();
  }

  #open(): Socket {
    this.#reused = false;
    const socket = connect({
      host: this.#target.address,
      port: this.#target.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.#onBytes(socket, length);
          return true;
        },
      },
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(socket, error));
    socket.on('end', () => this.#onEnd(socket));
    socket.on('close', () => this.#onEnd(socket));
    return socket;
  }

  #onBytes(socket: Socket, length: number): void {
    if (socket !== this.#socket) {
      return;
    }
    if (!this.#request) {
      // Bytes that nobody asked for: nothing on this connection can be trusted any more.
      this.#drop();
      return;
    }
    const outcome = this.#parser.feed(readBuffer, 0, length);
    if (outcome === 'complete') {
      this.#complete();
    } else if (outcome === 'malformed') {
      this.#fail(`malformed response: ${this.#parser.problem}`, 'malformed');
    }
  }

  #onEnd(socket: Socket): void {
    if (socket !== this.#socket) {
      return;
    }
    if (!this.#request) {
      this.#drop();
    } else if (!this.#parser.started) {
      this.#retryOrFail(CLOSED_EARLY, 'connection');
    } else if (this.#parser.end() === 'complete') {
      this.#complete();
    } else {
      this.#fail(this.#parser.problem, 'connection');
    }
  }

  #onError(socket: Socket, error: NodeJS.ErrnoException): void {
    if (socket !== this.#socket) {
      return;
    }
    const code = error.code ?? error.message;
    const message = ERROR_TEXTS[code] ?? `connection failed: ${code}`;
    const cause = OUR_ERRORS.has(code) ? 'own' : 'connection';
    if (!this.#request) {
      this.#drop();
    } else if (!this.#parser.started && code !== 'ECONNREFUSED') {
      this.#retryOrFail(message, cause);
    } else {
      this.#fail(message, cause);
    }
  }

  /** A service may close an idle connection at the very moment a request leaves; that is nobody's failure. */
  #retryOrFail(message: string, cause: FailureCause): void {
    const request = this.#request;
    if (!request || !this.#reused || !request.idempotent) {
      this.#fail(message, cause);
      return;
    }
    this.#drop();
    this.send(this.#text, request);
  }

  #complete(): void {
    this.#request = undefined;
    this.#reused = true;
    if (!this.#parser.keepAlive) {
      this.#drop();
    }
    this.#listener.onResponse(this.#parser);
  }

  #fail(message: string, cause: FailureCause): void {
    const waiting = this.#request !== undefined;
    this.close();
    if (waiting) {
      this.#listener.onFailure(message, cause);
    }
  }

  #drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}
