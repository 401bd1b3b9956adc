import { formatMs } from '../domain/units.ts';
import type { OnProgress, ProgressEvent } from '../grading/progress.ts';
import { visibleLine } from '../report/text-safety.ts';
import type { Clock } from '../shared/clock.ts';

export interface ProgressOutput {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface ProgressView {
  onProgress: OnProgress;
  /** Clears the live line; call before anything else is printed. */
  end(): void;
}

const PHASE_NAMES: Readonly<Record<string, string>> = {
  build: 'Building the submission',
  api: 'API tests',
  load: 'Load test',
};
const REFRESH_MS = 250;

/**
 * Shows a run as it goes: a permanent line for every finished phase and failed check, and on a terminal one live
 * line with what runs now and for how long. Without a terminal the permanent lines alone.
 */
export function makeProgressView(output: ProgressOutput, clock: Clock): ProgressView {
  const beganMs = clock.elapsedMs();
  const state = { phase: '', phaseBeganMs: 0, label: '' };
  // By id: a check may be reported again, and then the later word counts.
  const checks = new Map<string, boolean>();
  const live = output.isTTY === true;
  const timer = live ? setInterval(draw, REFRESH_MS) : undefined;
  timer?.unref();

  function draw(): void {
    if (live && state.phase !== '') {
      const elapsed = formatMs(Math.round((clock.elapsedMs() - beganMs) / 100) * 100);
      const text = `${elapsed.padStart(9)}  ${state.phase}${state.label === '' ? '' : ` · ${state.label}`}`;
      output.write(`\r\u001b[2K${text.slice(0, (output.columns || 80) - 1)}`);
    }
  }

  function print(line: string): void {
    output.write(`${live ? '\r\u001b[2K' : ''}${line}\n`);
    draw();
  }

  function begin(phase: string): void {
    Object.assign(state, { phase: PHASE_NAMES[phase] ?? phase, label: '' });
    checks.clear();
    state.phaseBeganMs = clock.elapsedMs();
    if (live) {
      draw();
    } else {
      print(`${state.phase} …`);
    }
  }

  function endPhase(): void {
    const line = `${state.phase}: ${formatMs(clock.elapsedMs() - state.phaseBeganMs)}${countsOf(checks)}`;
    state.phase = '';
    print(`  ${line}`);
  }

  function onProgress(event: ProgressEvent): void {
    if (event.kind === 'phase' && event.state === 'begin') {
      begin(event.phase);
    } else if (event.kind === 'phase') {
      endPhase();
    } else if (event.kind === 'progress') {
      const share = event.total > 0 ? `${event.done}/${event.total} ` : '';
      state.label = visibleLine(`${share}${event.label}`);
      draw();
    } else if (event.kind === 'check') {
      const ok = event.check.status === 'passed' || event.check.status === 'skipped';
      checks.set(event.check.id, ok);
      if (!ok) {
        print(`  ✗ ${visibleLine(event.check.id)}: ${visibleLine(event.check.message)}`);
      }
    }
  }

  return {
    onProgress,
    end: () => {
      clearInterval(timer);
      if (live) {
        output.write('\r\u001b[2K');
      }
    },
  };
}

function countsOf(checks: ReadonlyMap<string, boolean>): string {
  const passed = [...checks.values()].filter(Boolean).length;
  return checks.size > 0 ? `, ${passed} passed, ${checks.size - passed} failed` : '';
}
