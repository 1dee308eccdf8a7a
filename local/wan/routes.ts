import { authorize } from './account.ts';
import { cancelTask } from './cancel.ts';
import { downloadVideo } from './download.ts';
import { apiError } from './errors.ts';
import type { TaskFinisher } from './finish-tasks.ts';
import { errorResponse, json, type WanRequest, type WanResponse } from './http.ts';
import { type Limits, queriesPerSecond } from './limits.ts';
import { resultPrefix } from './links.ts';
import { listTasks } from './list.ts';
import { queryTask } from './query.ts';
import { listQuotas } from './quotas.ts';
import type { Renderer } from './render/render.ts';
import type { Store } from './store.ts';
import { createSubmit } from './submit.ts';
import type { UnsettledFacts } from './unsettled.ts';
import { getUploadPolicy, receiveUpload, uploadPath } from './upload.ts';
import type { Uploads } from './uploads.ts';

export interface Services {
  readonly store: Store;
  readonly uploads: Uploads;
  readonly renderer: Renderer;
  readonly finisher: TaskFinisher;
  readonly limits: Limits;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly taskSeconds: number;
  readonly domain: 'workspace' | 'shared';
  readonly facts: UnsettledFacts;
  /** `http://127.0.0.1:PORT`: origin of the URLs in responses. */
  readonly origin: string;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** Name of the route's rate limit of 20 requests per second. */
  readonly rateLimit?: string;
  readonly handle: (request: WanRequest, account: string, taskId: string) => WanResponse | Promise<WanResponse>;
}

/** Creates the handler of all routes. Any other method or path gets a 404 that names it. */
export function createRoutes(services: Services): (request: WanRequest) => Promise<WanResponse> {
  const apiRoutes: readonly Route[] = [
    {
      method: 'POST',
      path: /^\/api\/v1\/services\/aigc\/video-generation\/video-synthesis$/,
      handle: createSubmit(services),
    },
    {
      method: 'GET',
      path: /^\/api\/v1\/tasks$/,
      rateLimit: 'list',
      handle: (request, account) => listTasks(services, account, request.query),
    },
    {
      method: 'GET',
      path: /^\/api\/v1\/tasks\/([^/]+)$/,
      rateLimit: 'query',
      handle: (_request, account, taskId) => queryTask(services, account, taskId),
    },
    {
      method: 'POST',
      path: /^\/api\/v1\/tasks\/([^/]+)\/cancel$/,
      rateLimit: 'cancel',
      handle: (_request, account, taskId) => cancelTask(services, account, taskId),
    },
    {
      method: 'GET',
      path: /^\/api\/v1\/uploads$/,
      handle: (request, account) => getUploadPolicy(services, account, request.query),
    },
    ...(services.domain === 'workspace'
      ? [{ method: 'GET', path: /^\/api\/v1\/quotas$/, handle: (request: WanRequest) => listQuotas(request.query) }]
      : []),
  ];

  return async (request) => {
    const { method, path } = request;
    if (path.startsWith(resultPrefix) && ['GET', 'HEAD'].includes(method)) return downloadVideo(services, request);
    if (path === uploadPath && method === 'POST') return receiveUpload(services, request);
    const route = apiRoutes.find((candidate) => candidate.method === method && candidate.path.test(path));
    if (!route) return unknownRoute(method, path);
    const account = authorize(request.headers.authorization);
    if ('error' in account) return errorResponse(account.error);
    if (route.rateLimit && !services.limits.tryAcquire(`${route.rateLimit} ${account.value}`, queriesPerSecond)) {
      return errorResponse(apiError('Throttling.RateQuota'));
    }
    return route.handle(request, account.value, decodeTaskId(route.path.exec(path)?.[1]));
  };
}

function unknownRoute(method: string, path: string): WanResponse {
  const message = `The Wan emulator has no ${method} ${path}; local/wan/README.md lists what it has.`;
  return json(404, { code: 'NotFound', message });
}

function decodeTaskId(encoded = ''): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
