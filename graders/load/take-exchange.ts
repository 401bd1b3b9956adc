import type { EngineOptions } from './engine-types.ts';
import { whenDated } from './found-answers.ts';
import type { Probe } from './probe.ts';
import type { UserExchange } from './virtual-user.ts';

type Takers = Pick<EngineOptions, 'recorder' | 'sampler' | 'health' | 'onBrokenConnection'>;

/**
 * Hands an ended exchange to all who want to know of it. An answer is recorded once its time is known; the sample of it
 * is taken at once, for the response does not last, and shows the time that it has by then.
 */
export function takeExchange(exchange: UserExchange, probe: Probe | undefined, takers: Takers): void {
  const { recorder, sampler, health, onBrokenConnection } = takers;
  const { request, requestText, intendedMs, sentMs, endMs, failure, counted, response, answer } = exchange;
  const answered = response !== undefined;
  const outcome = { row: request.row, intendedMs, sentMs, endMs, failure, answered, counted };
  function record(cameMs: number): void {
    outcome.endMs = cameMs;
    recorder.record(outcome);
    probe?.record(outcome);
  }
  if (answer) {
    whenDated(answer, record);
  } else {
    record(endMs);
  }
  if (counted) {
    sampler.offer(request.row, requestText, response, {
      failure,
      latencyMs: endMs - intendedMs,
      serviceMs: endMs - (sentMs ?? intendedMs),
    });
  }
  if (exchange.cause === 'own') {
    health.recordOwnFailure();
  } else if (exchange.cause === 'connection') {
    onBrokenConnection();
  }
}
