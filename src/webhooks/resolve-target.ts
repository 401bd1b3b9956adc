import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AssayError } from '../domain/errors.ts';
import type { AllowRule } from './allow-rule.ts';

/** Where one delivery goes: the address that was checked is the one that is dialled. */
export interface Target {
  url: URL;
  address: string;
  family: 4 | 6;
}

const LOOKUP_DEADLINE_MS = 5000;

/**
 * Resolves a webhook's host and holds every address against the rule: one that is refused refuses the host, so that
 * a name cannot mix a public with a private address. Throws AssayError `WEBHOOK_REFUSED` or `WEBHOOK_UNRESOLVED`.
 */
export async function resolveTarget(text: string, rule: AllowRule): Promise<Target> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw refused('The address must be http or https, without user name and password.');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await resolve(host) : [{ address: host, family: isIP(host) }];
  const [first] = addresses;
  if (first === undefined || !addresses.every(({ address }) => rule.allows(host, address))) {
    throw refused('The address is on this machine or in a private network.');
  }
  return { url, address: first.address, family: first.family === 6 ? 6 : 4 };
}

async function resolve(host: string): Promise<{ address: string; family: number }[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('too slow')), LOOKUP_DEADLINE_MS);
  });
  try {
    return await Promise.race([lookup(host, { all: true, verbatim: true }), late]);
  } catch {
    throw new AssayError('WEBHOOK_UNRESOLVED', 'spec', `The host "${host}" cannot be resolved.`);
  } finally {
    clearTimeout(timer);
  }
}

function refused(message: string): AssayError {
  return new AssayError('WEBHOOK_REFUSED', 'spec', message, {
    mend: 'An operator can allow it with ASSAY_WEBHOOK_ALLOW.',
  });
}
