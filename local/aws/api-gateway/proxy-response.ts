import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import { isObject } from '../json.ts';
import { type ApiResponse, isBinary } from './response.ts';

/**
 * Reads the HTTP response that a function returned. Returns undefined if a REST API would not accept it.
 * A base64 body is decoded only if the client's `Accept` matches a binary media type of the API, as in the service.
 */
export function readProxyResponse(
  payload: string,
  { accept, binary_media_types }: { accept: string | undefined; binary_media_types: readonly string[] },
): ApiResponse | undefined {
  const output: unknown = JSON.parse(payload);
  if (!isObject(output)) return undefined;
  const { statusCode, headers = {}, multiValueHeaders = {}, body = '', isBase64Encoded = false, ...others } = output;
  const status = Number(statusCode);
  if (Object.keys(others).length > 0 || !STATUS_CODES[status]) return undefined;
  const pairs = headerPairs(headers ?? {}, multiValueHeaders ?? {});
  if (!pairs || (typeof body !== 'string' && body !== null)) return undefined;
  const headerNames = new Set(pairs.map(([name]) => name.toLowerCase()));
  const decode = isBase64Encoded === true && isBinary(accept, binary_media_types);
  return {
    status,
    headers: headerNames.has('content-type') ? pairs : [['Content-Type', 'application/json'], ...pairs],
    body: Buffer.from(body ?? '', decode ? 'base64' : 'utf8'),
  };
}

/** Merges both kinds of headers. If a header is in both, `multiValueHeaders` wins. */
function headerPairs(singleValues: unknown, multipleValues: unknown): [string, string][] | undefined {
  if (!isObject(singleValues) || !isObject(multipleValues)) return undefined;
  const multiValueNames = new Set(Object.keys(multipleValues).map((name) => name.toLowerCase()));
  const entries = [
    ...Object.entries(singleValues).filter(([name]) => !multiValueNames.has(name.toLowerCase())),
    ...Object.entries(multipleValues).flatMap(([name, values]) =>
      (Array.isArray(values) ? values : [values]).map((value) => [name, value] as const),
    ),
  ];
  const isPrimitive = entries.every(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  const pairs = entries.map(([name, value]): [string, string] => [name, String(value)]);
  return isPrimitive && pairs.every(isValidHeader) ? pairs : undefined;
}

/** Whether a header can be written. A line break in a value would start another header. */
function isValidHeader([name, value]: [string, string]): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
