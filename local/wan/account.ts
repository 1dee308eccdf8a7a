import { createHash } from 'node:crypto';
import { type Checked, refuse } from './errors.ts';

/**
 * Who a request's key belongs to. Every key that starts with `sk-` is good and is an account of its own, but for
 * `sk-invalid…` (401) and `sk-throttled…` (429). The value is a hash: no key is ever stored.
 */
export function authorize(authorization: string | undefined): Checked<string> {
  const key = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1];
  if (!key) return { refusal: refuse('InvalidApiKey', 'No API-key provided.') };
  if (!key.startsWith('sk-') || key.startsWith('sk-invalid')) return { refusal: refuse('InvalidApiKey') };
  if (key.startsWith('sk-throttled')) return { refusal: refuse('Throttling.RateQuota') };
  return { value: createHash('sha256').update(key).digest('hex').slice(0, 32) };
}
