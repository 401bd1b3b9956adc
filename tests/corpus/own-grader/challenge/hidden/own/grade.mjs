// What a test framework of any language would do: looks at the service, and hands over JUnit XML.
import { createInterface } from 'node:readline';

const [line] = await createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  .next()
  .then(({ value }) => [value]);
const { target, plan, stage } = JSON.parse(line);

async function page(from) {
  const response = await fetch(`http://${target.address}:${target.port}/?from=${from}&limit=3`);
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`the page from ${from} is no JSON: ${text.slice(0, 200)}`);
  }
}

/** What is wrong with the pages, or nothing: whatever the service answers is the submission's. */
async function judgePages() {
  try {
    const items = (await Promise.all([0, 3, 6, 9].map(page))).flat();
    return items.length === 10 ? '' : failure(`there are ${items.length} items`, JSON.stringify(items));
  } catch (error) {
    return failure(error.message);
  }
}

function failure(message, detail = '') {
  return `<failure message="${escape(message)}">${escape(detail.slice(0, 2000))}</failure>`;
}

/** Text as XML may hold it. */
function escape(text) {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"]/g, (one) => `&#${one.codePointAt(0)};`);
}

const whole = await judgePages();
const xml = `<testsuite name="${escape(stage)}">
  <testcase classname="pages" name="Hold every item once">${whole}</testcase>
  <testcase classname="pages" name="The plan is empty">${Object.keys(plan).length === 0 ? '' : '<failure/>'}</testcase>
</testsuite>`;

function send(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
send({
  event: 'artifact',
  name: 'junit.xml',
  contentType: 'application/xml',
  base64: Buffer.from(xml).toString('base64'),
});
send({ event: 'done' });
process.exit(0);
