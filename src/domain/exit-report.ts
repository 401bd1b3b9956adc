import { z } from 'zod';

/**
 * Why a container's process ended. One record in the spirit of isolate's meta file:
 * `exited` by itself with `exitCode` · `signaled` by a signal nobody of ours sent · `oom` memory limit ·
 * `pids` ended while its process limit was in force · `timeout` its wall-clock limit · `killed` because we asked ·
 * `disk` a build passed its disk limit · `start-failed` the command could not be executed.
 */
export const ExitCauseSchema = z.enum([
  'exited',
  'signaled',
  'oom',
  'pids',
  'timeout',
  'killed',
  'disk',
  'start-failed',
]);
export type ExitCause = z.infer<typeof ExitCauseSchema>;

export const ExitReportSchema = z.object({
  cause: ExitCauseSchema,
  /** As the engine gave it; 128 + n for signal n. */
  exitCode: z.number().int(),
  /** "SIGKILL", "SIGSEGV", … when a signal ended it. */
  signal: z.string().optional(),
  oomKilled: z.boolean(),
  /** The process limit was met at least once while it ran. */
  pidsLimitHit: z.boolean(),
  wallMs: z.number(),
  /** One plain sentence. */
  message: z.string(),
});
export type ExitReport = z.infer<typeof ExitReportSchema>;
