import type { Evidence, Exchange } from './grader-protocol.ts';

/** Evidence as plain lines, for formats that have no layout of their own. Text of others stays as it came. */
export function evidenceText(evidence: Evidence): string {
  const { at, expected, actual, diff, exchanges = [] } = evidence;
  return [
    ...(at === undefined ? [] : [`at ${at}`]),
    ...(diff ?? [
      ...(expected === undefined ? [] : [`- expected ${expected}`]),
      ...(actual === undefined ? [] : [`+ got ${actual}`]),
    ]),
    ...exchanges.flatMap((exchange) => ['', ...exchangeLines(exchange)]),
  ].join('\n');
}

function exchangeLines(exchange: Exchange): string[] {
  const { request, response } = exchange;
  return [
    ...(exchange.label?.startsWith(request.method) === false ? [`# ${exchange.label}`] : []),
    `> ${request.method} ${request.url}`,
    ...messageLines('> ', request),
    ...(response ? [`< ${response.status}`, ...messageLines('< ', response)] : []),
    ...(exchange.error === undefined ? [] : [`! ${exchange.error}`]),
    ...(exchange.curl === undefined ? [] : [`$ ${exchange.curl}`]),
  ];
}

function messageLines(
  sign: string,
  message: NonNullable<Exchange['response']> | Exchange['request'],
): string[] {
  return [
    ...message.headers.map(([name, value]) => `${sign}${name}: ${value}`),
    ...(message.body === undefined || message.body === '' ? [] : [`${sign}`, message.body]),
    ...(message.bodyTruncated === true ? ['… (the body was longer)'] : []),
  ];
}
