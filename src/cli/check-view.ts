import { formatMs } from '../domain/units.ts';
import type { CheckPart, OnCheckProgress } from '../grading/check/check-types.ts';
import { visibleLine } from '../report/text-safety.ts';
import type { Clock } from '../shared/clock.ts';
import type { ProgressOutput } from './progress-view.ts';

const PARTS: Readonly<Record<CheckPart, string>> = {
  gradings: 'Grading the samples',
  mutants: 'Trying broken variants',
};
const REFRESH_MS = 250;

/** Shows a check of a challenge as it goes: a line for every finding, and on a terminal one live line. */
export function makeCheckView(
  output: ProgressOutput,
  clock: Clock,
): { onProgress: OnCheckProgress; end: () => void } {
  const live = output.isTTY === true;
  const beganMs = clock.elapsedMs();
  let line = '';
  const timer = live ? setInterval(draw, REFRESH_MS) : undefined;
  timer?.unref();

  function elapsed(): string {
    return formatMs(Math.round((clock.elapsedMs() - beganMs) / 100) * 100);
  }

  function draw(): void {
    if (live && line !== '') {
      const text = `${elapsed().padStart(9)}  ${line}`;
      output.write(`\r\u001b[2K${text.slice(0, (output.columns || 80) - 1)}`);
    }
  }

  function print(text: string): void {
    output.write(`${live ? '\r\u001b[2K' : ''}${text}\n`);
    draw();
  }

  return {
    onProgress: (event) => {
      switch (event.kind) {
        case 'begin':
          line = PARTS[event.part];
          if (!live) {
            print(`${line} …`);
          }
          draw();
          break;
        case 'step':
          line = visibleLine(`${PARTS[event.part]} · ${event.done}/${event.total} ${event.label}`);
          draw();
          break;
        case 'finding':
          print(`  ✗ ${visibleLine(event.text)}`);
          break;
        case 'end':
          line = '';
          print(`  ${PARTS[event.part]}: done after ${elapsed()}`);
          break;
      }
    },
    end: () => {
      clearInterval(timer);
      if (live) {
        output.write('\r\u001b[2K');
      }
    },
  };
}
