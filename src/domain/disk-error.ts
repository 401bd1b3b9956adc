import { InfraError } from './errors.ts';

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);
/** Of a connection that breaks while it is read into a file; the disk has no part in it. */
const NETWORK: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

/** InfraError `BLOB_FULL` or `BLOB_FAILED` for what the file system says; any other error as it is. */
export function diskError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (FULL.has(code)) {
    return new InfraError('BLOB_FULL', 'the disk for uploads and results takes no more', {
      mend: 'free space below ASSAY_HOME',
      cause: error,
    });
  }
  const ours = code.startsWith('E') && !NETWORK.has(code) && error instanceof Error && 'syscall' in error;
  return ours ? new InfraError('BLOB_FAILED', 'a file could not be stored', { cause: error }) : error;
}
