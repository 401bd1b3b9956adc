import { describe, expect, it } from 'vitest';
import { webCommand } from '../../../src/grading/procfile.ts';
import { parseCommand, toArgv } from '../../../src/grading/shell-words.ts';

describe('command lines without a shell', () => {
  it.each<[string, string[]]>([
    ['node server.js', ['node', 'server.js']],
    ['  node   server.js  ', ['node', 'server.js']],
    [`node "my server.js" 'a b'`, ['node', 'my server.js', 'a b']],
    [String.raw`node my\ server.js`, ['node', 'my server.js']],
    [`echo ""`, ['echo', '']],
    [String.raw`echo "a \"b\" \n"`, ['echo', String.raw`a "b" \n`]],
    ['PORT=8080 MODE="x y" node a.js', ['env', 'PORT=8080', 'MODE=x y', 'node', 'a.js']],
    ['gunicorn app:app --bind=0.0.0.0:8080', ['gunicorn', 'app:app', '--bind=0.0.0.0:8080']],
  ])('%s', (text, argv) => {
    expect(toArgv(text)).toEqual(argv);
  });

  it('gives leading assignments apart', () => {
    expect(parseCommand('A=1 B= node x=2')).toEqual({
      env: [
        ['A', '1'],
        ['B', ''],
      ],
      argv: ['node', 'x=2'],
    });
  });

  it.each(['node $X', 'a | b', 'a && b', 'node *.js', `node "a`, `node "$X"`, 'a > b', 'node a\\'])(
    'leaves to a shell: %s',
    (text) => {
      expect(parseCommand(text)).toBeUndefined();
    },
  );
});

describe('command lines with a shell', () => {
  it.each([
    ['node server.js --port $PORT', 'exec node server.js --port $PORT'],
    ['node server.js --port ${PORT}', 'exec node server.js --port ${PORT}'],
    ['HOST=$H node server.js', 'HOST=$H exec node server.js'],
    ['cd dist && node server.js', 'cd dist && exec node server.js'],
    ['cd a; B="x y" node "s && t.js"', 'cd a; B="x y" exec node "s && t.js"'],
    ['node server.js 2>&1', 'exec node server.js 2>&1'],
    ['exec node $X', 'exec node $X'],
    ['sleep 1 && cd x', 'sleep 1 && cd x'],
    ['node a.js | tee log', 'node a.js | tee log'],
    ['node a.js & node b.js', 'node a.js & node b.js'],
    ['node a.js || node b.js', 'node a.js || node b.js'],
    ['(cd a; node b.js)', '(cd a; node b.js)'],
    ['node a.js # start', 'node a.js # start'],
    [`node "a`, `node "a`],
  ])('%s', (text, script) => {
    expect(toArgv(text)).toEqual(['sh', '-c', script]);
  });
});

describe('Procfile', () => {
  it('gives the command of web and no other', () => {
    expect(webCommand('worker: node w.js\r\nweb:  node s.js  \r\n')).toBe('node s.js');
    expect(webCommand('worker: node w.js\n')).toBeUndefined();
    expect(webCommand('web:\n')).toBeUndefined();
  });
});
