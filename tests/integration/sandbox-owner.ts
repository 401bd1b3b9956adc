import { makeTestSandbox, candidateOf, graderOf, never } from '../helpers/sandbox.ts';

/**
 * An owner to be killed: opens a pod with everything a run has and says so on stdout. Its only argument is the
 * installation; with "idle" as second argument it opens no pod.
 */
const [install = '', mode] = process.argv.slice(2);
const sandbox = await makeTestSandbox({ install, poolSize: 1 });
if (mode !== 'idle') {
  const pod = await sandbox.engine.openPod({ run: 'doomed', epoch: 1 }, never);
  const data = { path: '/data', sizeBytes: 1024 ** 2 };
  const candidate = candidateOf(sandbox.image, ['sleep', '1000']);
  await Promise.all([
    pod.startCandidate({ ...candidate, data }, never),
    pod.startGrader(graderOf(sandbox.image, ['cat']), never),
  ]);
}
process.stdout.write(`${sandbox.owner.owner}\n`);
setInterval(() => undefined, 1000);
