import type { RequestStep } from '../../src/domain/api-suite-step.ts';
import { randomBlob, randomValue } from './random-value.ts';
import { expandText, expandValue } from './template.ts';
import type { Scope } from './template.ts';

interface RequestBody {
  body: Buffer | undefined;
  contentType: string | undefined;
}

/** The body of a step and the content type that goes with it. */
export function buildBody(step: RequestStep, scope: Scope): RequestBody {
  if (step.json !== undefined) {
    return {
      body: Buffer.from(JSON.stringify(expandValue(step.json, scope))),
      contentType: 'application/json',
    };
  }
  if (step.form) {
    const pairs = Object.entries(step.form).map(([key, value]) => [key, expandText(String(value), scope)]);
    const text = new URLSearchParams(pairs as [string, string][]).toString();
    return { body: Buffer.from(text), contentType: 'application/x-www-form-urlencoded' };
  }
  if (step.multipart) {
    return multipartBody(step.multipart, scope);
  }
  if (step.text !== undefined) {
    return { body: Buffer.from(expandText(step.text, scope)), contentType: 'text/plain; charset=utf-8' };
  }
  if (step.base64 !== undefined) {
    return { body: Buffer.from(step.base64, 'base64'), contentType: 'application/octet-stream' };
  }
  if (step.bytes) {
    return { body: generatedBody(step.bytes, scope), contentType: 'application/octet-stream' };
  }
  return { body: undefined, contentType: undefined };
}

/** Repeated bytes hold no template: parallel requests share one buffer. */
const repeatedBodies = new WeakMap<object, Buffer>();

function generatedBody(bytes: NonNullable<RequestStep['bytes']>, scope: Scope): Buffer {
  if (bytes.repeat) {
    const unit = Buffer.from(bytes.repeat.text);
    const body = repeatedBodies.get(bytes) ?? Buffer.alloc(unit.length * bytes.repeat.times, unit);
    repeatedBodies.set(bytes, body);
    return body;
  }
  return randomBlob(bytes.random ?? 0, scope.prng);
}

function multipartBody(parts: NonNullable<RequestStep['multipart']>, scope: Scope): RequestBody {
  const boundary = `----form${randomValue('slug', [24], scope.prng)}`;
  const chunks = Object.entries(parts).flatMap(([name, part]) => {
    const filename =
      part.filename === undefined ? '' : `; filename="${quoted(expandText(part.filename, scope))}"`;
    const type = part.contentType ?? (part.filename === undefined ? undefined : 'application/octet-stream');
    const head = [
      `--${boundary}`,
      `Content-Disposition: form-data; name="${quoted(name)}"${filename}`,
      ...(type === undefined ? [] : [`Content-Type: ${quoted(type)}`]),
      '',
      '',
    ].join('\r\n');
    const content =
      part.base64 === undefined
        ? Buffer.from(expandText(part.text ?? '', scope))
        : Buffer.from(part.base64, 'base64');
    return [Buffer.from(head), content, Buffer.from('\r\n')];
  });
  const body = Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]);
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}

/** As browsers do it: quotes and line ends are percent-encoded. */
function quoted(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
