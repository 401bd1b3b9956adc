import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';
import { InfraError } from '../domain/errors.ts';

/** CommonJS dependencies inside an ES module still call `require`. */
const REQUIRE_SHIM =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

let program: Promise<string> | undefined;

/**
 * The reading process's program with all that it imports as one text, bundled once: loading its modules one by one, through
 * the TypeScript loader, would cost every upload ten times what reading it does. Throws InfraError `INTAKE_CRASHED`.
 */
export async function readerProgram(): Promise<string> {
  program ??= bundle();
  try {
    return await program;
  } catch (error) {
    program = undefined;
    throw new InfraError('INTAKE_CRASHED', 'The program that reads submissions could not be prepared.', {
      mend: 'Try again; if it happens again, report it.',
      cause: error,
    });
  }
}

async function bundle(): Promise<string> {
  try {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('./inspect-child.ts', import.meta.url))],
      write: false,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      banner: { js: REQUIRE_SHIM },
      legalComments: 'none',
      logLevel: 'silent',
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    // It keeps a process of its own, and does not notice that this has died: every later try would fail too. Not
    // after a success, for others in this process may be building.
    await stop();
    throw error;
  }
}
