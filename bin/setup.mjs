// Makes this machine ready for assay. Plain Node without dependencies: it runs before they are installed.
// With --tests also what only tests need. Exit codes: 0 ready, 1 a step failed, 2 a person has to install or start something first, 130 interrupted.
import { basePresent, makeBase } from './setup/base-image.mjs';
import { prepareBrowser } from './setup/browser.mjs';
import { connectEngine } from './setup/engine-api.mjs';
import { findEngine, installEngine, startEngine } from './setup/engine.mjs';
import { installPackages, packagesMatchLock } from './setup/npm-packages.mjs';
import { NeedsPerson, requireNode } from './setup/preconditions.mjs';
import { CommandFailed, run } from './setup/run.mjs';
import { openLog } from './setup/setup-log.mjs';
import { readSettings } from './setup/settings.mjs';

const settings = readSettings();
const log = openLog(settings.home);

// Children share the terminal's process group and get the signal too; here it only must not cut short the clean-up.
let interrupted = false;
process.on('SIGINT', () => {
  interrupted = true;
});

try {
  requireNode(process.versions.node);
  const engine = connectEngine(settings);
  await bothToTheirEnd(preparePackages(), prepareEngine(engine));
  const forTests = process.argv.includes('--tests');
  if (forTests) {
    await prepareBrowser(settings, log);
  }
  await log.step('images', (stepLog) =>
    run(process.execPath, ['--import', 'tsx', 'src/main.ts', 'setup', ...(forTests ? ['--all'] : [])], {
      log: stepLog,
      cwd: settings.root,
      show: true,
    }),
  );
  log.say(`ready (${log.elapsed()})`);
} catch (error) {
  process.exitCode = explain(error);
}

/** A failure is told when the other is at rest too, so that nothing goes on behind the message. */
async function bothToTheirEnd(...works) {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed) {
    throw failed.reason;
  }
}

async function preparePackages() {
  if (await packagesMatchLock(settings.root)) {
    return log.done('npm packages', 'as locked');
  }
  return log.step('npm packages', (stepLog) => installPackages(settings.root, stepLog));
}

async function prepareEngine(engine) {
  const found = await findEngine(engine, settings);
  if (found.kind === 'absent') {
    await log.step('container engine: install', (stepLog) => installEngine(settings, stepLog));
  }
  if (found.kind === 'answers') {
    log.done('container engine', found.version);
  } else {
    await log.step('container engine: start', (stepLog) => startEngine(engine, settings, stepLog));
  }
  if (await basePresent(engine, settings)) {
    return log.done('base image', settings.baseTag);
  }
  return log.step('base image', (stepLog) => makeBase(engine, settings, stepLog));
}

function explain(error) {
  if (interrupted) {
    log.say('interrupted');
    return 130;
  }
  if (error instanceof NeedsPerson) {
    log.say(`${error.message}\n${error.mend}`);
    return 2;
  }
  const step = error.step ? `step "${error.step}" failed: ` : '';
  log.say(`${step}${error.message}`);
  if (error instanceof CommandFailed && error.tail.length > 0) {
    log.say(`last lines of ${log.path}:\n${error.tail.map((line) => `    ${line}`).join('\n')}`);
  } else {
    log.write(`${error.stack}\n`);
    log.say(`log: ${log.path}`);
  }
  return 1;
}
