import type { Evidence, Exchange } from '../../domain/grader-protocol.ts';
import { formatMs } from '../../domain/units.ts';
import { block, type Fragment, html, type Markup } from './markup.ts';

/** Everything that a check has to show: place, expectation, diff and the exchanges. */
export function renderEvidence(evidence: Evidence): Fragment {
  const { at, expected, actual, diff, exchanges = [] } = evidence;
  return [
    at !== undefined && html`<p class="quiet">Place in the suite: <code>${at}</code></p>`,
    diff === undefined && (expected !== undefined || actual !== undefined) && expectation(expected, actual),
    diff !== undefined && renderDiff(diff),
    exchanges.map((exchange, index) =>
      renderExchange(exchange, exchanges.length > 1 ? index + 1 : undefined),
    ),
  ];
}

function expectation(expected: string | undefined, actual: string | undefined): Markup {
  return html`<dl class="pair"><dt>Expected</dt><dd><pre>${block(expected ?? '')}</pre></dd><dt>Got</dt><dd><pre>${block(actual ?? '')}</pre></dd></dl>`;
}

function renderDiff(lines: readonly string[]): Markup {
  return html`<pre class="diff" aria-label="Difference: minus is expected, plus is what came">${lines.map(diffLine)}</pre>`;
}

function diffLine(line: string): Markup {
  if (line.startsWith('-')) {
    return html`<del>${line}</del>`;
  }
  return line.startsWith('+') ? html`<ins>${line}</ins>` : html`<span>${line}</span>`;
}

/** One request and what came back, as they went over the wire, and the command that repeats it. */
function renderExchange(exchange: Exchange, number?: number): Markup {
  const { request, response } = exchange;
  const came = response ? `${response.status}` : 'no answer';
  return html`<section class="exchange">
<h5>${number !== undefined && `${number}. `}<span>${exchange.label ?? `${request.method} ${request.url}`}</span> → <strong>${came}</strong> <span class="quiet">in ${formatMs(exchange.durationMs)}</span></h5>
<div class="sides">
${side('Request', `${request.method} ${request.url}`, request)}
${response ? side('Response', `${response.status}`, response) : html`<div><h6>Response</h6><p>${exchange.error ?? 'No complete response came.'}</p></div>`}
</div>
${response && exchange.error !== undefined && html`<p>${exchange.error}</p>`}
${exchange.curl !== undefined && html`<details class="repeat"><summary>Repeat with curl</summary><pre>${block(exchange.curl)}</pre></details>`}
</section>`;
}

interface Message {
  headers: [string, string][];
  body?: string | undefined;
  bodyTruncated?: boolean | undefined;
}

function side(title: string, firstLine: string, message: Message): Markup {
  const head = [firstLine, ...message.headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return html`<div><h6>${title}</h6><pre class="head">${block(head)}</pre>${
    message.body !== undefined &&
    html`<pre class="body">${message.body === '' ? html`<span class="quiet">(empty body)</span>` : block(message.body)}</pre>`
  }${message.bodyTruncated === true && html`<p class="quiet">The body was longer; this is its beginning.</p>`}</div>`;
}
