import { open, readFile, rename } from 'node:fs/promises';

/**
 * An append-only file of JSON lines. `append` resolves once the record is on disk. Records that arrive while a
 * write is under way are written together afterwards, with one sync for all of them (group commit).
 */
export class Journal {
  #file;
  /** Bytes of complete records. */
  #size;
  #waiting = [];
  #writing = null;

  constructor(file, size) {
    this.#file = file;
    this.#size = size;
  }

  append(record) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line: `${JSON.stringify(record)}\n`, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async close() {
    await this.#writing;
    await this.#file.close();
  }

  async #writeAll() {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(batch.map((entry) => entry.line).join(''));
        batch.forEach((entry) => entry.resolve());
      } catch (error) {
        batch.forEach((entry) => entry.reject(error));
      }
    }
    this.#writing = null;
  }

  async #write(text) {
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
      this.#size += Buffer.byteLength(text);
    } catch (error) {
      // A full disk may have taken half a line, and the next record must not be glued to it.
      await this.#file.truncate(this.#size);
      throw error;
    }
  }
}

/** Reads all complete records. A last line without its end was never acknowledged and is left out. */
export async function readJournal(path) {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') {
      return '';
    }
    throw error;
  });
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Replaces the file by `records` in one atomic step and opens it for appending. */
export async function startJournal(path, records) {
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const draft = await open(`${path}.new`, 'w');
  await draft.writeFile(text);
  await draft.sync();
  await draft.close();
  await rename(`${path}.new`, path);
  return new Journal(await open(path, 'a'), Buffer.byteLength(text));
}
