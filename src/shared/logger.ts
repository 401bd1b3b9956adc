import pino from 'pino';

export type Logger = pino.Logger;

/** JSON lines on stderr, so that stdout stays free for results. Levels: pino's. */
export function makeLogger(level: string): Logger {
  return pino({ level, base: null }, pino.destination(2));
}
