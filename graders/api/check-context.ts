import type { Agent } from 'node:http';
import type { HeaderSet } from '../shared/default-headers.ts';
import type { CheckBudget } from './check-budget.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import type { Address } from './http-client.ts';
import type { SecretTexts } from './secrets.ts';
import type { ServiceControl } from './service-control.ts';
import type { Scope } from './template.ts';
import type { Trail } from './trail.ts';

/** What all steps of one check share. */
export interface CheckContext {
  target: Address;
  /** Where to connect instead, when something stands between; requests are the same. */
  via?: Address;
  service: ServiceControl;
  budget: CheckBudget;
  requestTimeoutMs: number;
  /** Sent unless a request says otherwise. */
  headers: HeaderSet;
  /** Every exchange of the check. */
  record: ExchangeRecord;
  /** What no evidence of the check may show. */
  secrets: SecretTexts;
  /** Kept connections, where the suite asks for them. */
  pool: Agent | undefined;
  /** How many exchanges may run at once; they share the memory for bodies. */
  width: number;
  /** Random values inside repeated and parallel work derive from it and the place. */
  seed: string;
  /** What the check has met so far. */
  seen: {
    /** A connection was refused, reset or closed. */
    connectionFailure: boolean;
    /** Waiting for answers, ms. */
    exchangeMs: number;
  };
}

/** Where in a check a step runs. */
export interface StepPlace {
  /** "steps[2]" */
  at: string;
  scope: Scope;
  trail: Trail;
}
