import Docker from 'dockerode';
import { AssayError, InfraError } from '../../domain/errors.ts';

/** Where the engine answers: a socket path, or host and port. Undefined: dockerode's own default. */
export interface DockerAddress {
  socketPath?: string;
  host?: string;
  port?: number;
}

export interface CallOptions {
  /** How long the engine may take, ms. */
  deadlineMs?: number;
  signal?: AbortSignal;
}

const DEFAULT_DEADLINE_MS = 20_000;

/** dockerode with a deadline on every call: a wedged container must never wedge the caller (security.md §0.9). */
export class DockerClient {
  readonly api: Docker;
  /** For other processes of ours that must reach the same engine. */
  readonly address: DockerAddress;

  constructor(address: DockerAddress = {}) {
    this.address = address;
    this.api = new Docker(address);
  }

  /**
   * Runs one engine call. Ends in its value, in an InfraError `ENGINE_TIMEOUT` at the deadline, in the signal's
   * reason when aborted, or in an InfraError `ENGINE_ERROR` that keeps the engine's status code as its cause.
   * A call that outlives its deadline is abandoned, not awaited.
   */
  async call<T>(
    what: string,
    run: (abortSignal: AbortSignal) => Promise<T>,
    options: CallOptions = {},
  ): Promise<T> {
    const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    const both = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal;
    try {
      options.signal?.throwIfAborted();
      return await Promise.race([run(both), rejectOnAbort(both)]);
    } catch (error) {
      if (options.signal?.aborted) {
        throw options.signal.reason;
      }
      if (deadline.signal.aborted) {
        throw new InfraError(
          'ENGINE_TIMEOUT',
          `the container engine did not answer "${what}" within ${deadlineMs} ms`,
          {
            mend: 'look at the engine with "assay doctor"; a wedged container may need a restart of the engine',
          },
        );
      }
      throw error instanceof AssayError
        ? error
        : new InfraError('ENGINE_ERROR', `the container engine refused "${what}": ${messageOf(error)}`, {
            cause: error,
          });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The engine's HTTP status behind an error of `call`, or undefined. 404 gone, 409 conflict, 304 already so. */
export function engineStatus(error: unknown): number | undefined {
  const source = error instanceof InfraError ? error.cause : error;
  if (typeof source === 'object' && source !== null && 'statusCode' in source) {
    return typeof source.statusCode === 'number' ? source.statusCode : undefined;
  }
  return undefined;
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
