import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second. */
const MS_PER_TICK = 10;

/**
 * Time that CPUs spent in processes of any container and of the host, and time that a hypervisor took away, ms, over
 * all `cpus`; undefined where the kernel does not tell. Interrupts are left out: most of them serve the test itself.
 */
export function busyMs(cpus: readonly number[]): number | undefined {
  const text = read('/proc/stat');
  let ticks = 0;
  for (const cpu of cpus) {
    const fields = new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(text)?.[1]?.split(' ').map(Number);
    const [user = Number.NaN, nice = 0, system = 0, , , , , steal = 0] = fields ?? [];
    ticks += user + nice + system + steal;
  }
  return cpus.length === 0 || Number.isNaN(ticks) ? undefined : ticks * MS_PER_TICK;
}

/** The CPUs that this process may run on; empty where the kernel does not tell. */
export function ownCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status'))?.[1] ?? '';
  return parseCpuList(list);
}

/** Reads "0-2,5". */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split('-').map(Number);
    return Number.isInteger(from) && Number.isInteger(to) && part !== ''
      ? Array.from({ length: to - from + 1 }, (_none, index) => from + index)
      : [];
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
