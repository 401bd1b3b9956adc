import { z } from 'zod';
import { DurationMs } from './units.ts';

const MAX_REPEATED_BYTES = 16 * 1024 * 1024;
const STATUS_RANGE = /^(?:[1-5]xx|[1-5]\d\d-[1-5]\d\d)$/;

const RawStatus = z.custom<number | string>(
  (value) => (typeof value === 'number' ? value >= 100 && value <= 599 : STATUS_RANGE.test(String(value))),
  'expected a status such as 400, "4xx" or "400-431"',
);

const Piece = z.union([
  z.string(),
  z.strictObject({ pause: DurationMs }),
  z.strictObject({
    repeat: z
      .strictObject({ text: z.string().min(1), times: z.number().int().min(1).max(1_000_000) })
      .refine(
        ({ text, times }) => Buffer.byteLength(text) * times <= MAX_REPEATED_BYTES,
        `expected at most ${MAX_REPEATED_BYTES} bytes`,
      ),
  }),
]);

/** Bytes over a connection of their own, written as they are, and what must come back. */
export const RawStepSchema = z.strictObject({
  raw: z.strictObject({
    send: z.array(Piece),
    /** How many such connections at once. */
    connections: z.number().int().min(1).max(500).default(1),
  }),
  /** Without it the connection is closed once everything is sent. */
  expect: z
    .strictObject({
      status: z.union([RawStatus, z.array(RawStatus).min(1)]).optional(),
      /** The service may close the connection instead. */
      orClosed: z.literal(true).optional(),
      /** From the last byte sent. */
      within: DurationMs.prefault('10s'),
    })
    .refine(
      ({ status, orClosed }) => status !== undefined || orClosed === true,
      'expected status, orClosed or both',
    )
    .optional(),
});
export type RawStep = z.output<typeof RawStepSchema>;
