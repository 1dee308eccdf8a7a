import { notImplemented } from '../errors.ts';
import type { Headers } from '../http/headers.ts';
import { type ChecksumAlgorithm, parseAlgorithm } from './algorithms.ts';

/** Reads `x-amz-checksum-algorithm`: what a copy or a multipart upload is to be summed with. */
export function requestedAlgorithm(headers: Headers): ChecksumAlgorithm | undefined {
  const name = headers.get('x-amz-checksum-algorithm');
  if (name === undefined) return undefined;
  const algorithm = parseAlgorithm(name);
  if (!algorithm) throw notImplemented(`x-amz-checksum-algorithm: ${name}`);
  return algorithm;
}
