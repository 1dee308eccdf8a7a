import { probeWan } from '../functions/maintenance/canary.ts';
import { createWanClient } from '../functions/wan/client/client.ts';
import { judgeKey } from '../functions/wan/key.ts';
import { regions } from '../functions/wan/regions.ts';
import type { LocalSettings } from './settings.ts';

/**
 * Checks the key of the real Wan by listing the latest tasks, which is free of charge. With a wrong key, videos would stay
 * queued without an error.
 * @returns the issue with its fix; undefined if there is none, or without a key
 */
export async function wanKeyIssue({ wan }: Pick<LocalSettings, 'wan'>): Promise<string | undefined> {
  if (wan.kind !== 'real') return undefined;
  const { base_url = regions.singapore.base_url, api_key } = wan;
  const judged = judgeKey(api_key);
  if (!judged.ok) return `DASHSCOPE_API_KEY: ${judged.problem} ${judged.fix}`;
  const { host } = new URL(base_url);
  const client = createWanClient({ baseUrl: base_url, apiKey: async () => api_key, fetch });
  const result = await probeWan({ wan: client, now: Date.now });
  if (result.outcome === 'refused')
    return `Wan at ${host} rejects DASHSCOPE_API_KEY (${result.cause}). Check the key. It is valid in one region only: set WAN_BASE_URL for another one.`;
  if (result.outcome === 'unreachable')
    return `Wan does not respond at ${host} (${result.cause}). Check the network and WAN_BASE_URL.`;
  return undefined;
}
