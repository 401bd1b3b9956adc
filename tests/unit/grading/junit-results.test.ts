import { describe, expect, it } from 'vitest';
import { junitXml } from '../../../src/domain/junit-xml.ts';
import { junitChecks } from '../../../src/grading/junit-results.ts';
import type { PlannedCheck } from '../../../src/report/run-facts.ts';

const PLANNED: PlannedCheck[] = [
  { id: 'a/planned', name: 'is planned', suite: 'A', maxPoints: 3, skill: 'ml', visibility: 'visible' },
];

describe('junitChecks', () => {
  it('reads test cases of nested suites, with what each came to', () => {
    const checks = junitChecks(
      `<?xml version="1.0"?>
<testsuites>
  <testsuite name="outer">
    <testcase classname="orders" name="Can be placed" time="0.25"/>
    <testsuite name="inner">
      <testcase name="is refused"><failure message="expected &lt;409&gt; &amp; got &#50;00">at x.py:3
  assert 1 == 2</failure></testcase>
      <testcase name="broke"><error><![CDATA[Traceback <x>]]></error></testcase>
      <testcase name="left out"><skipped/></testcase>
    </testsuite>
  </testsuite>
</testsuites>`,
      [],
    );
    expect(checks).toMatchObject([
      {
        id: 'orders/can-be-placed',
        suite: 'outer',
        status: 'passed',
        points: 1,
        maxPoints: 1,
        durationMs: 250,
      },
      {
        id: 'inner/is-refused',
        suite: 'inner',
        status: 'failed',
        points: 0,
        message: 'expected <409> & got 200',
        evidence: { actual: 'at x.py:3\n  assert 1 == 2' },
      },
      { id: 'inner/broke', status: 'errored', message: 'Traceback <x>' },
      { id: 'inner/left-out', status: 'skipped' },
    ]);
  });

  it('finds planned checks by id, by class and name, and by name', () => {
    const xml = `<testsuite><testcase name="x"><properties><property name="id" value="a/planned"/></properties></testcase></testsuite>`;
    const want = { id: 'a/planned', maxPoints: 3, points: 3, skill: 'ml', visibility: 'visible', suite: 'A' };
    expect(junitChecks(xml, PLANNED)).toMatchObject([want]);
    expect(
      junitChecks('<testsuite><testcase classname="a" name="Planned"/></testsuite>', PLANNED),
    ).toMatchObject([want]);
    expect(
      junitChecks('<testsuite><testcase classname="q" name="is planned"/></testsuite>', PLANNED),
    ).toMatchObject([want]);
  });

  it('takes points, skill and visibility from properties, and keeps ids apart', () => {
    const one = `<testcase classname="c" name="n"><properties>
      <property name="points" value="2.5"/><property name="skill" value="ml"/><property name="visibility">visible</property>
    </properties></testcase>`;
    expect(junitChecks(`<testsuite>${one}${one}</testsuite>`, [])).toMatchObject([
      { id: 'c/n', maxPoints: 2.5, skill: 'ml', visibility: 'visible' },
      { id: 'c/n-2' },
    ]);
  });

  it('gives a planned check to the case with its id, and by name to one case alone', () => {
    const planned = ['a/create', 'x/other'].map((id) => ({
      id,
      name: 'create',
      maxPoints: 5,
      skill: 'api-design' as const,
      visibility: 'hidden' as const,
    }));
    const [b, c] = ['b', 'c'].map(
      (n) => `<testcase classname="${n}" name="create"><failure message="no"/></testcase>`,
    );
    const right = '<testcase classname="a" name="create"/>';
    expect(junitChecks(`<testsuite>${b}${right}${c}</testsuite>`, planned)).toMatchObject([
      { id: 'x/other', status: 'failed', maxPoints: 5 },
      { id: 'a/create', status: 'passed', maxPoints: 5 },
      { id: 'c/create', status: 'failed', maxPoints: 1 },
    ]);
  });

  it('takes a page that the service sent, quoted, for text', () => {
    const failure = '<failure message="m"><![CDATA[<!DOCTYPE html><p>500</p>]]></failure>';
    expect(junitChecks(`<testsuite><testcase name="n">${failure}</testcase></testsuite>`, [])).toMatchObject([
      { status: 'failed', evidence: { actual: '<!DOCTYPE html><p>500</p>' } },
    ]);
  });

  it('reads what assay itself writes', () => {
    const test = {
      name: 'a<b>&"',
      classname: 'k',
      timeMs: 5,
      message: 'm',
      detail: 'd',
      outcome: 'failed' as const,
    };
    expect(junitChecks(junitXml('r', [{ name: 's', cases: [test] }]), [])).toMatchObject([
      { name: 'a<b>&"', suite: 's', status: 'failed', message: 'm', durationMs: 5 },
    ]);
  });

  it.each([
    ['not xml', /cannot be used/],
    ['<testsuite>', /line 1/],
    ['<other/>', /root is neither/],
    ['<testsuite/>', /no test case/],
    [
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>',
      /document type/,
    ],
    [`${'<testsuite>'.repeat(30)}<testcase name="x"/>${'</testsuite>'.repeat(30)}`, /deeper than 20/],
  ])('refuses %s', (xml, message) => {
    expect(() => junitChecks(xml, [])).toThrow(message);
  });

  it('is not led into prototypes or unknown entities', () => {
    const [check] = junitChecks(
      '<testsuite><testcase name="&xxe;" __proto__="1" constructor="2"/></testsuite>',
      [],
    );
    expect(check).toMatchObject({ name: '&xxe;', status: 'passed' });
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });
});
