/** One test of a JUnit report: a miss is a `failure`, what could not be judged an `error`. */
export interface JunitCase {
  name: string;
  /** Suite and id, as CI servers group by it. */
  classname: string;
  timeMs: number;
  outcome: 'passed' | 'failed' | 'errored' | 'skipped';
  /** Why it did not pass. */
  message: string;
  /** What a reader needs besides: the difference, the exchanges. */
  detail: string;
  properties?: Readonly<Record<string, string>>;
}

export interface JunitSuite {
  name: string;
  cases: readonly JunitCase[];
  properties?: Readonly<Record<string, string>>;
}

/** A JUnit XML document in the shape that CI servers read. Any text is safe in it. */
export function junitXml(name: string, suites: readonly JunitSuite[]): string {
  const all = suites.flatMap((suite) => suite.cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...totals(all) })}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteLines(suite: JunitSuite): string[] {
  return [
    `  <testsuite${attributes({ name: suite.name, ...totals(suite.cases) })}>`,
    ...propertyLines(suite.properties, '    '),
    ...suite.cases.flatMap(caseLines),
    '  </testsuite>',
  ];
}

function caseLines(test: JunitCase): string[] {
  const head = attributes({ name: test.name, classname: test.classname, time: seconds(test.timeMs) });
  const inner = [...propertyLines(test.properties, '      '), ...outcomeLines(test)];
  return inner.length === 0
    ? [`    <testcase${head}/>`]
    : [`    <testcase${head}>`, ...inner, '    </testcase>'];
}

function outcomeLines({ outcome, message, detail }: JunitCase): string[] {
  switch (outcome) {
    case 'passed':
      return [];
    case 'skipped':
      return [`      <skipped${attributes({ message })}/>`];
    case 'failed':
      return [`      <failure${attributes({ message, type: 'failed' })}>${xmlText(detail)}</failure>`];
    case 'errored':
      return [`      <error${attributes({ message, type: 'errored' })}>${xmlText(detail)}</error>`];
  }
}

function propertyLines(properties: Readonly<Record<string, string>> | undefined, indent: string): string[] {
  const lines = Object.entries(properties ?? {}).map(
    ([name, value]) => `${indent}  <property${attributes({ name, value })}/>`,
  );
  return lines.length === 0 ? [] : [`${indent}<properties>`, ...lines, `${indent}</properties>`];
}

function totals(cases: readonly JunitCase[]): Record<string, string> {
  function count(outcome: JunitCase['outcome']): string {
    return String(cases.filter((one) => one.outcome === outcome).length);
  }
  return {
    tests: String(cases.length),
    failures: count('failed'),
    errors: count('errored'),
    skipped: count('skipped'),
    time: seconds(cases.reduce((sum, one) => sum + one.timeMs, 0)),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlText(value).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`)
    .join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
// XML 1.0 has no way to write these, not even as references.
// oxlint-disable-next-line no-control-regex -- finding control characters is the point
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Cs}/gu;

function xmlText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(NOT_XML, '\ufffd')
    .replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}
