// What a test framework of any language would do: looks at the service, and hands over JUnit XML.
import { createInterface } from 'node:readline';

const [line] = await createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  .next()
  .then(({ value }) => [value]);
const { target, plan, stage } = JSON.parse(line);

async function page(from) {
  const response = await fetch(`http://${target.address}:${target.port}/?from=${from}&limit=3`);
  return await response.json();
}

const items = (await Promise.all([0, 3, 6, 9].map(page))).flat();
const whole = items.length === 10 ? '' : `<failure message="there are ${items.length} items">${items}</failure>`;
const xml = `<testsuite name="${stage}">
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
