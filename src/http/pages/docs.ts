import { createHash } from 'node:crypto';
import { block, html, renderMarkup, trusted } from '../../report/render/markup.ts';
import type { Markup } from '../../report/render/markup.ts';
import { REFUSALS } from '../../intake/refusals.ts';
import { PROBLEMS } from '../problems.ts';

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema?: unknown;
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: unknown;
  responses?: Record<string, { description?: string; content?: unknown }>;
  'x-access'?: string | string[];
}

/** The part of an OpenAPI document that the page shows. */
export interface OpenApiDocument {
  info: { title: string; version: string };
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, unknown> };
}

const STYLE = `
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2128;background:#fff}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f4f5f7;padding:.75rem;overflow:auto;border-radius:6px}
summary{cursor:pointer;padding:.25rem 0}.method{display:inline-block;min-width:4.5rem;font-weight:700}
.who{color:#57606a;font-size:.875rem}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0}
@media(prefers-color-scheme:dark){body{background:#161b22;color:#d7dde4}pre{background:#22272e}.who{color:#9aa4af}a{color:#6cb6ff}}`;

/** No scripts, nothing from elsewhere, and only our own style sheet, by its digest. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TAGS = ['candidate', 'reviewer', 'admin', 'operations'];

/** Every call, by who makes it, and every error code. */
export function renderDocs(document: OpenApiDocument): string {
  const page = html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>assay: calls</title><style>${trusted(STYLE)}</style></head><body>
<h1>assay ${document.info.version}</h1>
<p>Send your token as <code>Authorization: Bearer …</code>. The same as <a href="/openapi.json">OpenAPI document</a>.</p>
${TAGS.map((tag) => section(document, tag))}
<h2>Shapes</h2>
${Object.entries(document.components?.schemas ?? {}).map(
  ([name, schema]) =>
    html`<details><summary><code>${name}</code></summary><pre>${json(schema)}</pre></details>`,
)}
<h2>Error codes</h2>
<p>Errors are problem documents (RFC 9457). The member <code>code</code> is one of these.</p>
<table><tr><th>code</th><th>status</th><th>meaning</th></tr>
${Object.entries(PROBLEMS).map(([code, { status, title }]) => codeRow(code, status, title))}
${Object.entries(REFUSALS).map(([code, { httpStatus, meaning }]) => codeRow(code, httpStatus, meaning))}
</table></body></html>`;
  return `<!doctype html>${renderMarkup(page)}`;
}

function codeRow(code: string, status: number, meaning: string): Markup {
  return html`<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${meaning}</td></tr>`;
}

function section(document: OpenApiDocument, tag: string): Markup {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags?.[0] === tag)
      .map(([method, operation]) => renderOperation(path, method, operation)),
  );
  return html`<h2>${tag}</h2>${operations}`;
}

function renderOperation(path: string, method: string, operation: Operation): Markup {
  const access = operation['x-access'];
  const who = Array.isArray(access) ? access.join(', ') : (access ?? '');
  const parameters = operation.parameters ?? [];
  return html`<details><summary><span class="method">${method.toUpperCase()}</span> <code>${path}</code> ${operation.summary ?? ''} <span class="who">(${who})</span></summary>
${operation.description ? html`<p>${operation.description}</p>` : null}
${parameters.length > 0 ? html`<h4>Parameters</h4><pre>${json(parameters)}</pre>` : null}
${operation.requestBody ? html`<h4>Body</h4><pre>${json(operation.requestBody)}</pre>` : null}
<h4>Answers</h4><pre>${json(operation.responses ?? {})}</pre></details>`;
}

function json(value: unknown): Markup {
  return block(JSON.stringify(value, null, 2));
}
