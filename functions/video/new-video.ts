import type { VideoRecord } from './record.ts';
import { monthOf } from './spending.ts';

type Given = Pick<
  VideoRecord,
  | 'id'
  | 'owner'
  | 'source'
  | 'model'
  | 'input'
  | 'parameters'
  | 'metadata'
  | 'warnings'
  | 'request_hash'
  | 'image'
  | 'sound'
  | 'estimated_cost'
>;

/** A video at the beginning of its life: waiting in its lane, or `failed` at once with the reason. */
export function newVideo(given: Given, now: number, error?: VideoRecord['error']): VideoRecord {
  const at = new Date(now).toISOString();
  const status = error ? 'failed' : 'queued';
  return {
    ...given,
    status,
    created_at: at,
    updated_at: at,
    progress: 0,
    run: 0,
    spending_month: monthOf(now),
    ...(error ? { error } : {}),
    timeline: [{ status, at }],
  };
}
