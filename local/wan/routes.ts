import { authorize } from './account.ts';
import { cancelTask } from './cancel.ts';
import { downloadVideo } from './download.ts';
import { refuse } from './errors.ts';
import { type Answer, json, refused, type WanRequest } from './http.ts';
import { type Limits, queriesPerSecond } from './limits.ts';
import { resultPrefix } from './links.ts';
import { listTasks } from './list.ts';
import { queryTask } from './query.ts';
import type { Renderer } from './render/render.ts';
import type { Settler } from './settle.ts';
import type { Store } from './store.ts';
import { createSubmit } from './submit.ts';
import { getUploadPolicy, receiveUpload, uploadPath } from './upload.ts';
import type { Uploads } from './uploads.ts';

export interface Services {
  readonly store: Store;
  readonly uploads: Uploads;
  readonly renderer: Renderer;
  readonly settler: Settler;
  readonly limits: Limits;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly taskSeconds: number;
  /** `http://127.0.0.1:PORT`, which the URLs of answers begin with. */
  readonly origin: string;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** The allowance of 20 requests a second that the route draws on. */
  readonly allowance?: string;
  readonly answer: (request: WanRequest, account: string, taskId: string) => Answer | Promise<Answer>;
}

/** Everything the emulator answers; any other method or path gets a 404 that names it. */
export function createRoutes(services: Services): (request: WanRequest) => Promise<Answer> {
  const apiRoutes: readonly Route[] = [
    {
      method: 'POST',
      path: /^\/api\/v1\/services\/aigc\/video-generation\/video-synthesis$/,
      answer: createSubmit(services),
    },
    {
      method: 'GET',
      path: /^\/api\/v1\/tasks$/,
      allowance: 'list',
      answer: (request, account) => listTasks(services, account, request.query),
    },
    {
      method: 'GET',
      path: /^\/api\/v1\/tasks\/([^/]+)$/,
      allowance: 'query',
      answer: (_request, account, taskId) => queryTask(services, account, taskId),
    },
    {
      method: 'POST',
      path: /^\/api\/v1\/tasks\/([^/]+)\/cancel$/,
      allowance: 'cancel',
      answer: (_request, account, taskId) => cancelTask(services, account, taskId),
    },
    {
      method: 'GET',
      path: /^\/api\/v1\/uploads$/,
      answer: (request, account) => getUploadPolicy(services, account, request.query),
    },
  ];

  return async (request) => {
    const { method, path } = request;
    if (path.startsWith(resultPrefix) && ['GET', 'HEAD'].includes(method)) return downloadVideo(services, request);
    if (path === uploadPath && method === 'POST') return receiveUpload(services, request);
    const route = apiRoutes.find((candidate) => candidate.method === method && candidate.path.test(path));
    if (!route) return unknownRoute(method, path);
    const account = authorize(request.headers.authorization);
    if ('refusal' in account) return refused(account.refusal);
    if (route.allowance && !services.limits.take(`${route.allowance} ${account.value}`, queriesPerSecond)) {
      return refused(refuse('Throttling.RateQuota'));
    }
    return route.answer(request, account.value, decodeTaskId(route.path.exec(path)?.[1]));
  };
}

function unknownRoute(method: string, path: string): Answer {
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
