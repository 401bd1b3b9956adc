import { readFileSync } from 'node:fs';

/** Where the probe tries to connect to. */
export interface Destination {
  address: string;
  port: number;
}

/** What the probe saw. Maps go from what was tried to what came of it: "allowed", "connected", "EPERM", … */
export interface ProbeFacts {
  status: Map<string, string>;
  syscalls: Map<string, string>;
  writes: Map<string, string>;
  absences: Map<string, string>;
  interfaces: Map<string, string>;
  connections: Map<string, string>;
  dns: { outcome: string; seconds: number } | undefined;
  files: Count | undefined;
  pids: Count | undefined;
  tmpBytes: Count | undefined;
  memory: string | undefined;
  /** The probe came to its last line. */
  complete: boolean;
}

/** How much was had, and the error that ended it. */
export interface Count {
  count: number;
  end: string;
}

const PROBE_FILE = new URL('./self-test-probe.pl', import.meta.url);

/** The argument vector that runs the probe in any image of ours. */
export function probeCommand(destinations: readonly Destination[]): string[] {
  const script = readFileSync(PROBE_FILE, 'utf8');
  return ['perl', '-e', script, '--', ...destinations.flatMap((each) => [each.address, String(each.port)])];
}

/** Reads the probe's output; lines it does not know are left out. */
export function parseProbe(output: string): ProbeFacts {
  const rows = output.split('\n').map((line) => line.split('\t'));
  function mapOf(kind: string): Map<string, string> {
    const found = rows.filter((row) => row[0] === kind).map((row) => [row[1] ?? '', row[2] ?? ''] as const);
    return new Map(found);
  }
  function rowOf(kind: string): string[] | undefined {
    return rows.find((row) => row[0] === kind);
  }
  function countOf(kind: string): Count | undefined {
    const row = rowOf(kind);
    return row && { count: Number(row[1]), end: row[2] ?? '' };
  }
  const dns = rowOf('dns');
  return {
    status: mapOf('status'),
    syscalls: mapOf('syscall'),
    writes: mapOf('write'),
    absences: mapOf('absent'),
    interfaces: mapOf('interface'),
    connections: mapOf('connect'),
    dns: dns && { outcome: dns[1] ?? '', seconds: Number(dns[2]) },
    files: countOf('files'),
    pids: countOf('pids'),
    tmpBytes: countOf('tmp'),
    memory: rowOf('memory')?.[1],
    complete: rowOf('end')?.[1] === 'reached',
  };
}
