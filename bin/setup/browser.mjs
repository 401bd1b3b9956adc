import { existsSync } from 'node:fs';
import { aptInstall, askToInstall } from './engine.mjs';
import { NeedsPerson } from './preconditions.mjs';

const CHROMIUM = '/usr/bin/chromium';

/** Chromium for the tests that look at pages, from Debian's packages. Throws NeedsPerson, CommandFailed. */
export async function prepareBrowser(settings, log) {
  const path = settings.env.CHROMIUM || CHROMIUM;
  if (existsSync(path)) {
    return log.done('browser', path);
  }
  if (!settings.isRoot || !settings.os.like.includes('debian')) {
    throw new NeedsPerson(
      `the browser tests need Chromium, and there is none at ${path}`,
      'install it (Debian: apt-get install chromium), or set CHROMIUM to its path',
    );
  }
  await askToInstall(['chromium'], settings);
  return log.step('browser: install', (stepLog) => aptInstall(['chromium'], settings, stepLog));
}
