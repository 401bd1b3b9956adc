import { z } from 'zod';

/** What run_locust.py tells, one JSON object a line. Times are of the process that tells them. */
export const LocustEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('started') }),
  z.object({ event: z.literal('users'), atS: z.number(), users: z.number() }),
  z.object({
    event: z.literal('requests'),
    /** Failures without any response since the last line. */
    broken: z.number(),
    rows: z.array(
      z.object({
        /** The second in which the requests ended. */
        second: z.number(),
        /** They began after the warm-up. */
        counted: z.boolean(),
        method: z.string(),
        name: z.string(),
        bytes: z.number(),
        /** [response time in ms, how often] */
        ok: z.array(z.tuple([z.number(), z.number()])),
        /** [what was wrong, a response came, response time in ms, how often] */
        failed: z.array(z.tuple([z.string(), z.boolean(), z.number(), z.number()])),
      }),
    ),
  }),
  /** One failed exchange, as far as the client's objects tell it. */
  z.object({
    event: z.literal('sample'),
    name: z.string(),
    ms: z.number(),
    error: z.string(),
    method: z.string(),
    url: z.string(),
    requestHeaders: z.array(z.tuple([z.string(), z.string()])),
    requestBody: z.string(),
    status: z.number().optional(),
    headers: z.array(z.tuple([z.string(), z.string()])).optional(),
    body: z.string().optional(),
  }),
  z.object({
    event: z.literal('ended'),
    cpuRatio: z.number(),
    latenessP99Ms: z.number(),
    durationMs: z.number(),
    /** Python exceptions that tasks raised. */
    exceptions: z.array(z.object({ count: z.number(), message: z.string(), traceback: z.string() })),
  }),
]);
export type LocustEvent = z.infer<typeof LocustEventSchema>;
export type LocustRequests = Extract<LocustEvent, { event: 'requests' }>;
export type LocustSample = Extract<LocustEvent, { event: 'sample' }>;
export type LocustEnd = Extract<LocustEvent, { event: 'ended' }>;
