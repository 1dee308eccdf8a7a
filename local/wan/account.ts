import { createHash } from 'node:crypto';
import { apiError, type Checked } from './errors.ts';

/**
 * Returns the account of a request's key. Every key that starts with `sk-` is valid and has an account of its own, except
 * `sk-invalid…` (401) and `sk-throttled…` (429). The account is a hash, so no key is stored.
 */
export function authorize(authorization: string | undefined): Checked<string> {
  const key = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1];
  if (!key) return { error: apiError('InvalidApiKey', 'No API-key provided.') };
  if (!key.startsWith('sk-') || key.startsWith('sk-invalid')) return { error: apiError('InvalidApiKey') };
  if (key.startsWith('sk-throttled')) return { error: apiError('Throttling.RateQuota') };
  return { value: createHash('sha256').update(key).digest('hex').slice(0, 32) };
}
