import { z } from 'zod';
import type { Report } from '../domain/report.ts';
import { renderCsv } from '../report/render/csv.ts';
import { renderHtml } from '../report/render/html.ts';
import { renderJunit } from '../report/render/junit.ts';
import { renderMarkdown } from '../report/render/markdown.ts';

export const ReportFormat = z.enum(['json', 'html', 'md', 'junit', 'csv']);
export type ReportFormat = z.infer<typeof ReportFormat>;

interface Renderer {
  contentType: string;
  render: (report: Report) => string;
}

export const RENDERERS: Readonly<Record<ReportFormat, Renderer>> = {
  json: { contentType: 'application/json; charset=utf-8', render: (report) => JSON.stringify(report) },
  html: { contentType: 'text/html; charset=utf-8', render: renderHtml },
  md: { contentType: 'text/markdown; charset=utf-8', render: renderMarkdown },
  junit: { contentType: 'application/xml; charset=utf-8', render: renderJunit },
  csv: { contentType: 'text/csv; charset=utf-8', render: renderCsv },
};

/** The page brings its own style and nothing else; as if it came from nowhere, it can reach nothing here. */
export const REPORT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'; sandbox";
