import { formatBytes } from '../domain/units.ts';
import { visibleLine } from '../report/text-safety.ts';
import type { ProgressOutput } from './progress-view.ts';
import type { StreamEvent } from './service-client.ts';

export interface SubmitView {
  uploaded: (sentBytes: number) => void;
  event: (event: StreamEvent) => void;
  say: (lines: readonly string[]) => void;
  /** Clears the live line; call before anything else is printed. */
  end: () => void;
}

const BAR_WIDTH = 30;

/** On a terminal a bar for the upload, then one live line; permanent lines for what is done. Without, these alone. */
export function makeSubmitView(output: ProgressOutput, totalBytes: number): SubmitView {
  const live = output.isTTY === true;
  let line = '';

  function draw(text: string): void {
    line = text;
    if (live) {
      output.write(`\r\u001b[2K${text.slice(0, (output.columns || 80) - 1)}`);
    }
  }
  function print(text: string): void {
    output.write(`${live ? '\r\u001b[2K' : ''}${text}\n`);
    if (line !== '') {
      draw(line);
    }
  }

  return {
    uploaded: (sent) => {
      const done = Math.round((BAR_WIDTH * sent) / Math.max(1, totalBytes));
      const bar = `${'█'.repeat(done)}${'░'.repeat(BAR_WIDTH - done)}`;
      draw(`Uploading ${bar} ${formatBytes(sent)} of ${formatBytes(totalBytes)}`);
      if (sent >= totalBytes) {
        line = '';
        print(`Uploaded ${formatBytes(totalBytes)}`);
      }
    },
    event: ({ event, data }) => {
      const words = wordsOf(event, data);
      if (words?.kind === 'permanent') {
        line = '';
        print(`  ${words.text}`);
      } else if (words !== undefined) {
        draw(`  ${words.text}`);
      }
    },
    say: (lines) => lines.forEach(print),
    end: () => {
      line = '';
      if (live) {
        output.write('\r\u001b[2K');
      }
    },
  };
}

interface Words {
  kind: 'permanent' | 'live';
  text: string;
}

function wordsOf(event: string, data: Record<string, unknown>): Words | undefined {
  function text(key: string): string {
    return visibleLine(typeof data[key] === 'string' ? data[key] : '');
  }
  function count(key: string): number {
    return typeof data[key] === 'number' ? data[key] : 0;
  }
  switch (event) {
    case 'queue':
      return { kind: 'live', text: `In the queue at place ${count('position')}` };
    case 'state':
      return { kind: 'permanent', text: `${text('state')}` };
    case 'stage':
      return data['state'] === 'begin'
        ? { kind: 'live', text: `${text('stage')} …` }
        : { kind: 'permanent', text: `${text('stage')} done` };
    case 'check':
      return {
        kind: 'live',
        text: `${text('stage')}: ${count('passed')} passed, ${count('failed')} failed`,
      };
    case 'progress':
      return { kind: 'live', text: `${text('stage')}: ${count('done')} of ${count('total')}` };
    default:
      return undefined;
  }
}
