import { errorResponse, json, type WanResponse } from './http.ts';
import { pageOf } from './list.ts';
import { type Model, models } from './models.ts';

/** `GET /quotas`: the account's limits of one model, of those whose name contains a text, or of all. */
export function listQuotas(query: URLSearchParams): WanResponse {
  const page = pageOf(query, 20);
  if ('error' in page) return errorResponse(page.error);
  const [model, text] = [query.get('model'), query.get('name') ?? ''];
  const found = models.filter(({ name }) => (!model || name === model) && name.includes(text));
  const { number, size } = page.value;
  return json(200, {
    output: {
      total: found.length,
      page_no: number,
      page_size: size,
      quotas: found.slice((number - 1) * size, number * size).map(quotaOf),
    },
  });
}

function quotaOf({ name, submitsPerSecond, concurrentTasks }: Model): Record<string, unknown> {
  return {
    model: name,
    workspace_id: 'ws-emulator',
    model_limit: {
      request_limit: submitsPerSecond,
      // In seconds.
      request_limit_period: 1,
      usage_limit: null,
      usage_limit_field: null,
      usage_limit_period: null,
      async_user_queue_limit: null,
      async_user_concurrency_limit: concurrentTasks,
    },
    workspace_limit: null,
  };
}
