import type { ProgressOutput } from '../../src/cli/progress-view.ts';
import type { StreamEvent } from '../../src/cli/service-client.ts';

/** Shows several gradings at once. */
export interface DemoView {
  /** A permanent line about one of them, or about none. */
  say: (text: string, name?: string) => void;
  /** Takes the events of one. */
  event: (name: string, event: StreamEvent) => void;
  /** This one is over. */
  over: (name: string) => void;
}

export const NAME_WIDTH = 24;

/** Permanent lines with the time for what is done; on a terminal one live line besides, with what is being done. */
export function makeDemoView(output: ProgressOutput): DemoView {
  const beganMs = performance.now();
  const live = output.isTTY === true;
  const doing = new Map<string, string>();

  function draw(): void {
    if (live) {
      const text = [...doing].map(([name, what]) => `${name}: ${what}`).join(' · ');
      output.write(`\r\u001b[2K${text.slice(0, (output.columns || 80) - 1)}`);
    }
  }

  function say(text: string, name?: string): void {
    const seconds = `${Math.round((performance.now() - beganMs) / 1000)} s`;
    const about = name === undefined ? '' : `${name.padEnd(NAME_WIDTH)} `;
    output.write(`${live ? '\r\u001b[2K' : ''}${seconds.padStart(6)}  ${about}${text}\n`);
    draw();
  }

  const tallies = new Map<string, string>();
  return {
    say,
    event: (name, { event, data }) => {
      const stage = String(data['stage']);
      const key = `${name}/${stage}`;
      if (event === 'check') {
        tallies.set(key, `${String(data['passed'])} checks passed, ${String(data['failed'])} failed`);
      } else if (event === 'stage' && data['state'] === 'end' && tallies.has(key)) {
        say(`${stage}: ${tallies.get(key)}`, name);
      }
      const what = wordsOf(event, data, tallies.get(key));
      if (what !== undefined) {
        doing.set(name, what);
        draw();
      }
    },
    over: (name) => {
      doing.delete(name);
      draw();
    },
  };
}

function wordsOf(
  event: string,
  data: Readonly<Record<string, unknown>>,
  tally: string | undefined,
): string | undefined {
  switch (event) {
    case 'queue':
      return `place ${String(data['position'])} in the queue`;
    case 'stage':
      return data['state'] === 'begin' ? `${String(data['stage'])} …` : 'waits for its turn';
    case 'check':
      return `${String(data['stage'])}, ${tally}`;
    case 'progress':
      return data['total'] === 0
        ? undefined
        : `${String(data['stage'])} ${String(data['done'])}/${String(data['total'])}`;
    default:
      return undefined;
  }
}
