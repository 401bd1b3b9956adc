const MIB = 1024 ** 2;

/** Limits and addresses of the HTTP interface. */
export interface HttpSettings {
  /** Folder for uploads on their way in; made with mode 0700, its files with 0600. */
  uploadDir: string;
  /** Peers whose `X-Forwarded-*` headers are believed: addresses or CIDRs. Empty: nobody's. */
  trustProxy: readonly string[];
  /** The largest upload of a submission, and of a challenge bundle, bytes. */
  uploadBytes: number;
  bundleBytes: number;
  /** Uploads that may be on their way in at once, in all and per token. */
  uploadsAtOnce: number;
  uploadsPerToken: number;
  /** Processes that read uploads at once, and uploads that may wait for one. */
  inspectionsAtOnce: number;
  inspectionsWaiting: number;
  /** Requests a minute: per address (IPv6 by /64), per token, and refused tokens per address. */
  perAddress: number;
  perToken: number;
  refusedTokens: number;
  /** Longest time a request may take to arrive, ms. */
  requestTimeoutMs: number;
  headersTimeoutMs: number;
  /** Event streams at once, in all and per token; a comment goes out this often. */
  streams: number;
  streamsPerToken: number;
  heartbeatMs: number;
  /** A reader of a stream that takes nothing for so long is cut off, ms. */
  slowReaderMs: number;
  /** Above this delay of the event loop, requests get 503, ms. */
  maxEventLoopDelayMs: number;
}

export const DEFAULT_HTTP_SETTINGS: Readonly<Omit<HttpSettings, 'uploadDir'>> = {
  trustProxy: [],
  uploadBytes: 10 * MIB,
  bundleBytes: 20 * MIB,
  uploadsAtOnce: 256,
  uploadsPerToken: 4,
  inspectionsAtOnce: 2,
  inspectionsWaiting: 32,
  perAddress: 1200,
  perToken: 600,
  refusedTokens: 30,
  requestTimeoutMs: 120_000,
  headersTimeoutMs: 20_000,
  streams: 500,
  streamsPerToken: 10,
  heartbeatMs: 15_000,
  slowReaderMs: 30_000,
  maxEventLoopDelayMs: 2000,
};
