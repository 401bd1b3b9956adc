import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraderEventSchema } from '../../../src/domain/grader-protocol.ts';
import type { Check, ControlReply, GraderEvent } from '../../../src/domain/grader-protocol.ts';
import type { LoadPlan } from '../../../src/domain/load-plan.ts';
import { LoadResultSchema } from '../../../src/domain/report.ts';
import type { LoadResult, LoadTask } from '../../../src/domain/report.ts';
import { runLoad } from '../run-load.ts';
import type { AskHost } from '../service-watch.ts';

export interface Service {
  server: Server;
  port: number;
  close(): Promise<void>;
}

/** A real HTTP service on loopback. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Service> {
  const server = createServer(answer);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 2048, resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Starts a service that ends with the test. Answers its port. */
export async function serveDuring(
  { onTestFinished }: { onTestFinished: (end: () => Promise<void>) => void },
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const service = await serve(answer);
  onTestFinished(() => service.close());
  return service.port;
}

export interface LoadRun {
  checks: Check[];
  result: LoadResult;
  events: GraderEvent[];
  inconclusive: string | undefined;
  task(name: string): LoadTask;
}

/** Runs a plan as the host would; every event must fit the protocol. `reply` answers control requests. */
export async function runPlan(
  plan: LoadPlan,
  port: number,
  reply: AskHost = refuse,
  seed = 'seed',
): Promise<LoadRun> {
  const events: GraderEvent[] = [];
  const inconclusive = await runLoad(
    { v: 1, stage: 'load', target: { address: '127.0.0.1', port }, seed, deadlineMs: 600_000, plan },
    {
      emit: (event) => {
        events.push(GraderEventSchema.parse(JSON.parse(JSON.stringify(event))));
        return Promise.resolve();
      },
      ask: reply,
    },
    new AbortController().signal,
  );
  const results = events.flatMap((event) => (event.event === 'result' ? [event.result] : []));
  const result = LoadResultSchema.parse(results[0]);
  return {
    checks: events.flatMap((event) => (event.event === 'check' ? [event.check] : [])),
    result,
    events,
    inconclusive,
    task: (name) => {
      const found = result.tasks.find((task) => task.name === name);
      if (!found) {
        throw new Error(`there is no row "${name}"`);
      }
      return found;
    },
  };
}

function refuse(): Promise<ControlReply> {
  return Promise.resolve({ id: 'c', ok: false, error: 'not here' });
}

export function later(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
