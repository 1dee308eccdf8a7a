import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import { isObject } from '../is-object.ts';
import { type ApiResponse, isBinary } from './response.ts';

/**
 * The HTTP answer in what a Lambda returned, or undefined when it is none that a REST API accepts.
 * A base64 body becomes bytes only where the client's `Accept` names a binary media type of the API, as on the service.
 */
export function readProxyAnswer(
  payload: string,
  { accept, binary_media_types }: { accept: string | undefined; binary_media_types: readonly string[] },
): ApiResponse | undefined {
  const answer: unknown = JSON.parse(payload);
  if (!isObject(answer)) return undefined;
  const { statusCode, headers = {}, multiValueHeaders = {}, body = '', isBase64Encoded = false, ...unknown } = answer;
  const status = Number(statusCode);
  if (Object.keys(unknown).length > 0 || !STATUS_CODES[status]) return undefined;
  const pairs = headerPairs(headers ?? {}, multiValueHeaders ?? {});
  if (!pairs || (typeof body !== 'string' && body !== null)) return undefined;
  const named = new Set(pairs.map(([name]) => name.toLowerCase()));
  const decode = isBase64Encoded === true && isBinary(accept, binary_media_types);
  return {
    status,
    headers: named.has('content-type') ? pairs : [['Content-Type', 'application/json'], ...pairs],
    body: Buffer.from(body ?? '', decode ? 'base64' : 'utf8'),
  };
}

/** Headers of both kinds; where both have one, the list of values wins. */
function headerPairs(single: unknown, multiple: unknown): [string, string][] | undefined {
  if (!isObject(single) || !isObject(multiple)) return undefined;
  const listed = new Set(Object.keys(multiple).map((name) => name.toLowerCase()));
  const entries = [
    ...Object.entries(single).filter(([name]) => !listed.has(name.toLowerCase())),
    ...Object.entries(multiple).flatMap(([name, values]) =>
      (Array.isArray(values) ? values : [values]).map((value) => [name, value] as const),
    ),
  ];
  const plain = entries.every(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  const pairs = entries.map(([name, value]): [string, string] => [name, String(value)]);
  return plain && pairs.every(isSendable) ? pairs : undefined;
}

/** Whether a header can be written at all: one with a line break in it would end it, or begin another. */
function isSendable([name, value]: [string, string]): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
