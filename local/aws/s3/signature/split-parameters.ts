import type { Call } from '../call.ts';
import type { Headers } from '../http/headers.ts';
import type { Target } from '../http/target.ts';

const signatureParameters = new Set([
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);

/**
 * Takes the signature's parameters out of the query, and reads the `x-amz-` headers that presigning has moved into it
 * as the headers they were.
 */
export function splitParameters(parameters: Target['parameters'], received: Headers): Pick<Call, 'query' | 'headers'> {
  const presigned = parameters.some(([name]) => name === 'X-Amz-Signature');
  if (!presigned) return { query: new Map(parameters), headers: received };
  const query = new Map<string, string>();
  const headers = new Map(received);
  for (const [name, value] of parameters) {
    const header = name.toLowerCase();
    if (signatureParameters.has(header)) continue;
    if (!header.startsWith('x-amz-')) query.set(name, value);
    else if (!headers.has(header)) headers.set(header, value);
  }
  return { query, headers };
}
