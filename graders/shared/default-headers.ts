import { makePrng } from './prng.ts';

/** Headers in the order and spelling in which they are sent. */
export type HeaderSet = readonly (readonly [name: string, value: string])[];

/** The plainest client. */
export const DEFAULT_HEADERS: Readonly<Record<string, string>> = {
  accept: '*/*',
  'accept-encoding': 'identity',
  'user-agent': 'node',
};

/** As everyday clients of an API send them. None asks for a coding, a language or a type that changes an answer. */
const CLIENTS: readonly [HeaderSet, ...HeaderSet[]] = [
  Object.entries(DEFAULT_HEADERS),
  [
    ['User-Agent', 'curl/8.14.1'],
    ['Accept', '*/*'],
  ],
  [
    ['User-Agent', 'python-requests/2.32.4'],
    ['Accept-Encoding', 'identity'],
    ['Accept', '*/*'],
  ],
  [
    ['Accept', 'application/json, text/plain, */*'],
    ['User-Agent', 'axios/1.11.0'],
    ['Accept-Encoding', 'identity'],
  ],
  [
    ['accept', '*/*'],
    ['accept-language', '*'],
    ['sec-fetch-mode', 'cors'],
    ['user-agent', 'undici'],
    ['accept-encoding', 'identity'],
  ],
  [
    ['User-Agent', 'Go-http-client/1.1'],
    ['Accept-Encoding', 'identity'],
  ],
  [
    ['Accept', '*/*'],
    ['Accept-Encoding', 'identity'],
    ['User-Agent', 'okhttp/4.12.0'],
  ],
  [
    ['Accept', '*/*'],
    ['User-Agent', 'Apache-HttpClient/5.5 (Java/21.0.8)'],
  ],
];

/** The headers of one pass over a service, chosen by the seed. Passes of one seed never send the same set. */
export function defaultHeaders(seed: string, pass: 0 | 1): HeaderSet {
  const first = makePrng(`${seed}/headers`).int(0, CLIENTS.length - 1);
  const step = makePrng(`${seed}/headers/step`).int(1, CLIENTS.length - 1);
  return CLIENTS[(first + pass * step) % CLIENTS.length] ?? CLIENTS[0];
}

/** A command line can do without it: it is what curl sends as well, or names a client that the service has no business with. */
export function isDefaultHeader(name: string, value: string): boolean {
  switch (name.toLowerCase()) {
    case 'accept':
      return value === '*/*';
    case 'accept-encoding':
      return value === 'identity';
    case 'user-agent':
      return CLIENTS.some((headers) => headers.some(([, itsValue]) => itsValue === value));
    default:
      return false;
  }
}
