import { describe, expect, it } from 'vitest';
import { helpFor, USAGE } from '../../../src/cli/help.ts';

const COMMANDS = 'grade check import load submit schema serve worker services token doctor clean setup'.split(
  ' ',
);

describe('help', () => {
  it.each(COMMANDS)('of %s is its own usage, also among other words', (command) => {
    const usage = helpFor([command, '--help']);

    expect(usage).toMatch(new RegExp(`^assay ${command}\\b`, 'm'));
    expect(usage?.length).toBeLessThan(USAGE.length);
    expect(helpFor([command, 'x', '-h', '--unknown'])).toBe(usage);
    expect(helpFor(['help', command])).toBe(usage);
  });

  it('of assay names every command', () => {
    for (const command of COMMANDS) {
      expect(USAGE).toMatch(new RegExp(`^  assay ${command}\\b`, 'm'));
    }
    expect([helpFor(['help']), helpFor(['--help']), helpFor(['-h'])]).toEqual([USAGE, USAGE, USAGE]);
  });

  it('is not asked for by other words, by what follows "--", or of no command', () => {
    expect(helpFor(['check', 'bundle'])).toBeUndefined();
    expect(helpFor(['check', '--', '-h'])).toBeUndefined();
    expect(helpFor(['chek', '--help'])).toBeUndefined();
  });
});
