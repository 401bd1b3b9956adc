import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { readJournal, startJournal } from './journal.js';

const CODE_LENGTH = 8;
const VISIT_FLUSH_MS = 200;

/** Opens the links kept in `directory`. */
export async function openLinkStore(directory) {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'links.jsonl');
  const links = replay(await readJournal(path));
  const journal = await startJournal(
    path,
    links.map((link) => ({ type: 'link', link })),
  );
  return new LinkStore(links, journal);
}

/** Applies the records in order; the last word on each link counts. */
function replay(records) {
  const links = new Map();
  for (const record of records) {
    if (record.type === 'link') {
      links.set(record.link.code, record.link);
    } else if (record.type === 'visits') {
      links.get(record.code).visits = record.visits;
    } else if (record.type === 'deleted') {
      links.get(record.code).deleted = true;
    }
  }
  return [...links.values()];
}

class LinkStore {
  /** In the order of creation; a link's index is its position for paging. Nothing is ever taken out. */
  #links;
  #byCode;
  #journal;
  #visited = new Set();
  #flushTimer;

  constructor(links, journal) {
    this.#links = links;
    this.#byCode = new Map(links.map((link) => [link.code, link]));
    this.#journal = journal;
    this.#flushTimer = setInterval(() => this.#flushVisits().catch(console.error), VISIT_FLUSH_MS);
  }

  /** Returns the new link, or undefined when the alias is taken. */
  async create({ url, alias, ttlSeconds }) {
    if (alias !== undefined && this.#byCode.has(alias)) {
      return undefined;
    }
    const link = this.#reserve(alias ?? this.#freeCode(), url, ttlSeconds);
    try {
      await this.#journal.append({ type: 'link', link });
    } catch (error) {
      this.#byCode.delete(link.code);
      link.deleted = true;
      throw error;
    }
    return link;
  }

  /** Returns the link whatever its state, or undefined when the code was never given out. */
  find(code) {
    return this.#byCode.get(code);
  }

  /** True while the link can be followed. */
  isLive(link) {
    return !link.deleted && (link.expiresAt === null || Date.now() < Date.parse(link.expiresAt));
  }

  recordVisit(link) {
    link.visits += 1;
    this.#visited.add(link);
  }

  /** A repeated deletion is written again: the first one may not be on disk yet. */
  async delete(link) {
    link.deleted = true;
    await this.#journal.append({ type: 'deleted', code: link.code });
  }

  /** The newest `limit` live links before `before`, and the position to go on from, or null at the end. */
  page(limit, before) {
    const links = [];
    let position = Math.min(before, this.#links.length);
    while (position > 0 && links.length <= limit) {
      position -= 1;
      const link = this.#links[position];
      if (this.isLive(link)) {
        links.push({ link, position });
      }
    }
    const shown = links.slice(0, limit);
    return {
      links: shown.map((entry) => entry.link),
      next: links.length > limit ? shown.at(-1).position : null,
    };
  }

  async close() {
    clearInterval(this.#flushTimer);
    await this.#flushVisits();
    await this.#journal.close();
  }

  /** No `await` between the look and this step: that is what makes a code unique under load. */
  #reserve(code, url, ttlSeconds) {
    const now = Date.now();
    const link = {
      code,
      url,
      visits: 0,
      createdAt: new Date(now).toISOString(),
      expiresAt: ttlSeconds === undefined ? null : new Date(now + ttlSeconds * 1000).toISOString(),
      deleted: false,
    };
    this.#byCode.set(code, link);
    this.#links.push(link);
    return link;
  }

  #freeCode() {
    let code = nanoid(CODE_LENGTH);
    while (this.#byCode.has(code)) {
      code = nanoid(CODE_LENGTH);
    }
    return code;
  }

  async #flushVisits() {
    const visited = [...this.#visited];
    this.#visited.clear();
    try {
      await Promise.all(
        visited.map((link) => this.#journal.append({ type: 'visits', code: link.code, visits: link.visits })),
      );
    } catch (error) {
      visited.forEach((link) => this.#visited.add(link));
      throw error;
    }
  }
}
