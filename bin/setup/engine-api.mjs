import { request } from 'node:http';
import { NeedsPerson } from './preconditions.mjs';

const DEFAULT_SOCKET = '/var/run/docker.sock';
const DEFAULT_PORT = 2375;

/** The few calls of the engine's API that set-up needs; the rest of assay has a real client. */
export function connectEngine({ dockerHost }) {
  const address = parseDockerHost(dockerHost);
  return { address, call: (method, path, options) => call(address, method, path, options) };
}

/** "unix:///path" or "tcp://host:port" as options of node:http. Undefined: the engine's usual socket. */
export function parseDockerHost(dockerHost) {
  if (dockerHost === undefined) {
    return { socketPath: DEFAULT_SOCKET };
  }
  if (dockerHost.startsWith('unix://')) {
    return { socketPath: dockerHost.slice('unix://'.length) };
  }
  const tcp = /^(?:tcp|http):\/\/([^:/]+|\[[^\]]+\])(?::(\d+))?\/?$/.exec(dockerHost);
  if (tcp) {
    return { host: tcp[1].replace(/^\[|\]$/g, ''), port: Number(tcp[2] ?? DEFAULT_PORT) };
  }
  throw new NeedsPerson(
    `DOCKER_HOST "${dockerHost}" is not understood`,
    'set it to unix:///path/to/socket or tcp://host:port, or unset it',
  );
}

/**
 * One call. Resolves with {status, body} of any answer; `body` is text. `onChunk` sees it as it arrives.
 * Rejects when nothing answers within `deadlineMs`.
 */
function call(address, method, path, { body, headers, deadlineMs = 5000, onChunk = () => undefined } = {}) {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const req = request({ ...address, method, path, headers, signal }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        text = (text + chunk).slice(-100_000);
        onChunk(chunk);
      });
      res.on('end', () => resolve({ status: res.statusCode, body: text }));
      res.on('error', reject);
    });
    req.on('error', reject);
    if (body && typeof body.pipe === 'function') {
      body.on('error', (error) => req.destroy(error)).pipe(req);
    } else {
      req.end(body);
    }
  });
}
