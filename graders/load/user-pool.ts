import type { UserKind } from './compile-plan.ts';
import type { Target } from './http-connection.ts';
import { nextKind } from './user-mix.ts';
import { VirtualUser } from './virtual-user.ts';
import type { UserOwner } from './virtual-user.ts';

/** All users that are not gone, and which of them are free. */
export class UserPool {
  readonly #kinds: readonly UserKind[];
  readonly #target: Target;
  readonly #seed: string;
  readonly #owner: UserOwner;
  /** In the order of their spawning. */
  readonly #users = new Set<VirtualUser>();
  /** Free users of each kind; the last one to become free is the first to be used. */
  readonly #idle: VirtualUser[][];
  readonly #staying: number[];
  #spawned = 0;
  #proven = 0;

  constructor(kinds: readonly UserKind[], target: Target, seed: string, owner: UserOwner) {
    this.#kinds = kinds;
    this.#target = target;
    this.#seed = seed;
    this.#owner = owner;
    this.#idle = kinds.map(() => []);
    this.#staying = kinds.map(() => 0);
  }

  /** Users that are to stay: spawned and not told to stop. */
  get staying(): number {
    return this.#staying.reduce((sum, count) => sum + count, 0);
  }

  /** Users of whom no exchange has ended yet. */
  get unproven(): number {
    return this.#spawned - this.#proven;
  }

  /** Users that are not gone yet. */
  get size(): number {
    return this.#users.size;
  }

  get all(): Iterable<VirtualUser> {
    return this.#users;
  }

  count(state: VirtualUser['state']): number {
    let count = 0;
    for (const user of this.#users) {
      count += user.state === state ? 1 : 0;
    }
    return count;
  }

  /** Users of a kind that will be free once their onStart is done. */
  countStarting(kind: UserKind): number {
    let count = 0;
    for (const user of this.#users) {
      count += user.state === 'starting' && user.kind === kind ? 1 : 0;
    }
    return count;
  }

  /** Adds a user of the kind that comes next by the weights (and fixed counts, where they are to hold). */
  spawnNext(counted: boolean, withFixedCounts: boolean): void {
    const entries = withFixedCounts
      ? this.#kinds
      : this.#kinds.map(({ weight, fixedCount }) => ({ weight: fixedCount ?? weight }));
    const kind = this.#kinds[nextKind(entries, this.#staying)];
    if (kind) {
      this.spawn(kind, counted);
    }
  }

  /** Adds a user. Its choices follow from the seed and its number alone. */
  spawn(kind: UserKind, counted: boolean): void {
    const user = new VirtualUser(kind, `${this.#seed}/user/${this.#spawned}`, this.#target, this.#owner);
    this.#spawned += 1;
    this.#users.add(user);
    this.#staying[kind.index] = (this.#staying[kind.index] ?? 0) + 1;
    user.start(counted);
  }

  /** Notes the end of a user's exchange. */
  prove(user: VirtualUser): void {
    this.#proven += user.proven ? 0 : 1;
  }

  /** Tells the user spawned last, of those that are to stay, to stop. Busy ones end their exchange first. */
  retireOne(): void {
    const user = [...this.#users].toReversed().find((candidate) => !candidate.retiring);
    if (!user) {
      return;
    }
    user.retiring = true;
    this.#staying[user.kind.index] = (this.#staying[user.kind.index] ?? 0) - 1;
    if (user.state === 'idle' || user.state === 'waiting') {
      user.stop();
    }
  }

  setIdle(user: VirtualUser): void {
    user.state = 'idle';
    this.#idle[user.kind.index]?.push(user);
  }

  /** Takes a free user of a kind, or undefined. */
  takeIdle(kind: UserKind): VirtualUser | undefined {
    const idle = this.#idle[kind.index] ?? [];
    for (let user = idle.pop(); user; user = idle.pop()) {
      if (user.state === 'idle') {
        return user;
      }
    }
    return undefined;
  }

  /** Takes all free users. */
  takeAllIdle(): VirtualUser[] {
    const users = this.#idle.flat().filter((user) => user.state === 'idle');
    for (const idle of this.#idle) {
      idle.length = 0;
    }
    return users;
  }

  remove(user: VirtualUser): void {
    this.#users.delete(user);
  }

  /** Ends every exchange that has passed its time. */
  sweepTimeouts(nowMs: number): void {
    for (const user of this.#users) {
      if (user.deadlineMs <= nowMs) {
        user.abort('timed out');
      }
    }
  }
}
