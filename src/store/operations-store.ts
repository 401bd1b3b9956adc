import type { Page, PageRequest } from './page.ts';

export interface AuditEntry {
  id: string;
  at: Date;
  /** Token id and name, or "system". */
  actorId: string | null;
  actor: string;
  /** "token.create", "submission.denied", … */
  action: string;
  object: string;
  details: object;
}

/** Append only: no call changes or removes an entry. */
export interface AuditStore {
  add(entry: Pick<AuditEntry, 'actorId' | 'actor' | 'action' | 'object' | 'details'>): Promise<void>;
  list(filter: { action?: string; object?: string }, page: PageRequest): Promise<Page<AuditEntry>>;
}

export interface WorkerInfo {
  id: string;
  host: string;
  version: string;
  slots: number;
  busy: number;
  state: 'ready' | 'draining' | 'unhealthy' | 'gone';
  /** Why it is unhealthy. */
  reason: string | null;
  startedAt: Date;
  seenAt: Date;
}

export interface WorkerStore {
  /** Registers or refreshes; answers whether an admin asked it to drain. */
  heartbeat(
    worker: Pick<WorkerInfo, 'id' | 'host' | 'version' | 'slots' | 'busy' | 'state' | 'reason'>,
  ): Promise<{ drain: boolean }>;
  list(): Promise<WorkerInfo[]>;
  /** False when there is no such worker. */
  askToDrain(id: string): Promise<boolean>;
}
