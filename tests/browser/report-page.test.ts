import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembleReport } from '../../src/report/assemble.ts';
import { renderHtml } from '../../src/report/render/html.ts';
import { HOSTILE, SAMPLE_RUNS } from '../helpers/report-samples.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Elements that only candidate text could bring into the page. */
const FOREIGN =
  'script, iframe, img, object, embed, form, input, audio, video, foreignObject, plaintext, b, [onerror], [onload], [style], [src], a:not([href^="#"])';

let folder: string;
let context: BrowserContext;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-browser-'));
  context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
  });
});

afterAll(async () => {
  await context?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Opened {
  page: Page;
  requests: string[];
  complaints: string[];
}

async function open(markup: string, viewport = { width: 1100, height: 900 }): Promise<Opened> {
  const file = join(folder, 'report.html');
  await writeFile(file, markup);
  const page = await context.newPage();
  await page.setViewportSize(viewport);
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(pathToFileURL(file).href);
  // Everything unfolded, so that nothing hostile hides in what is not laid out yet.
  await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
  return {
    page,
    requests: requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:')),
    complaints,
  };
}

/** Names and counts of all elements. */
async function census(page: Page): Promise<Record<string, number>> {
  return page.evaluate<Record<string, number>>(`(() => {
    const counts = {};
    for (const one of document.querySelectorAll('*')) counts[one.localName] = (counts[one.localName] ?? 0) + 1;
    return counts;
  })()`);
}

describe('the report page in a browser', () => {
  it('shows hostile text as text: no script, no extra element, no request', async () => {
    const report = assembleReport(SAMPLE_RUNS.hostileRun());
    const { page, requests, complaints } = await open(renderHtml(report));

    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(await page.locator(FOREIGN).count()).toBe(0);
    expect(requests).toEqual([]);
    expect(complaints).toEqual([]);
    const text = await page.locator('body').innerText();
    expect(text).toContain('<script>window.pwned=1</script>');
    expect(text).toContain('⟨U+202E⟩');
    expect(text).toContain('⟨ESC⟩]0;title⟨BEL⟩');
    await page.close();
  });

  it('has the same elements whether candidate text is hostile or plain', async () => {
    const hostile = JSON.stringify(assembleReport(SAMPLE_RUNS.hostileRun()));
    // The same report with every character that means something to HTML made a letter.
    const plain = hostile.replace(/[<>&'`]/g, 'x');
    const counts = [];
    for (const text of [hostile, plain]) {
      const { page } = await open(renderHtml(JSON.parse(text)));
      counts.push(await census(page));
      await page.close();
    }

    // Backticks make code spans of ours, nothing else.
    expect({ ...counts[0], code: 0 }).toEqual({ ...counts[1], code: 0 });
  });

  it('is guarded by its policy even if an escape were forgotten', async () => {
    const page = renderHtml(assembleReport(SAMPLE_RUNS.passedRun())).replace(
      '<main>',
      `<main><div>${HOSTILE}</div>`,
    );
    const opened = await open(page);

    expect(await opened.page.locator('main script').count()).toBe(1);
    expect(await opened.page.evaluate('window.pwned')).toBeUndefined();
    expect(opened.complaints.join(' ')).toContain('Content Security Policy');
    await opened.page.close();
  });

  it.each(Object.keys(SAMPLE_RUNS) as (keyof typeof SAMPLE_RUNS)[])(
    '%s: fits narrow and wide screens, links lead somewhere, ids are unique',
    async (name) => {
      for (const width of [360, 390, 768, 1280, 1600]) {
        const { page, complaints } = await open(renderHtml(assembleReport(SAMPLE_RUNS[name]())), {
          width,
          height: 800,
        });
        expect(
          await page.evaluate('document.documentElement.scrollWidth'),
          `${width} px`,
        ).toBeLessThanOrEqual(width);
        expect(complaints).toEqual([]);
        const broken = await page.evaluate(
          "[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id))",
        );
        expect(broken).toEqual([]);
        const ids = await page.evaluate<string[]>(
          "[...document.querySelectorAll('[id]')].map((one) => one.id)",
        );
        expect(new Set(ids).size).toBe(ids.length);
        await page.close();
      }
    },
  );

  it.each(['light', 'dark'] as const)(
    'has enough contrast in %s, measured on what is drawn',
    async (colorScheme) => {
      const { page } = await open(renderHtml(assembleReport(SAMPLE_RUNS.partialRun())));
      await page.emulateMedia({ colorScheme });

      expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
      // The measure itself sees a planted violation.
      await page.evaluate("document.querySelector('.summary').style.color = 'rgb(128, 128, 128)'");
      await page.evaluate("document.querySelector('.summary').style.backgroundColor = 'rgb(140, 140, 140)'");
      expect(await page.evaluate(LOW_CONTRAST)).toHaveLength(1);
      await page.close();
    },
  );

  it('has landmarks, one main heading, named tables and drawn charts', async () => {
    const { page } = await open(renderHtml(assembleReport(SAMPLE_RUNS.partialRun())));

    for (const landmark of ['header', 'nav', 'main', 'footer', 'h1']) {
      expect(await page.locator(`body ${landmark}`).count(), landmark).toBe(1);
    }
    expect(await page.locator('table:not(:has(caption))').count()).toBe(0);
    expect(await page.locator('figure.chart').count()).toBe(8);
    const box = await page.locator('figure.chart polyline').nth(1).boundingBox();
    expect(box?.width).toBeGreaterThan(200);
    expect(box?.height).toBeGreaterThan(40);
    await page.close();
  });
});

/** Text whose contrast with the nearest painted background is below 4.5 (WCAG AA). */
const LOW_CONTRAST = `(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const low = new Set();
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!own || one.closest('svg') || one.closest('.sr')) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.add(one.localName + '.' + one.className + ' ' + ratio.toFixed(2));
  }
  return [...low];
})()`;
