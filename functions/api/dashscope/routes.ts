import { cancelTask } from './cancel-task.ts';
import { createTask } from './create-task.ts';
import { listTasks } from './list-tasks.ts';
import { queryTask } from './query-task.ts';
import { receiveUpload } from './receive-upload.ts';
import { Refusal } from './refusal.ts';
import type { DashscopeRequest, Operation } from './services.ts';
import { getUploadPolicy } from './upload-policy.ts';

/** Below `/api/v1/`, without a last slash; what is in brackets is a task's id. */
const routes: readonly { path: RegExp; methods: Readonly<Record<string, Operation>> }[] = [
  { path: /^services\/aigc\/video-generation\/video-synthesis$/, methods: { POST: createTask } },
  { path: /^tasks$/, methods: { GET: listTasks } },
  { path: /^tasks\/([^/]+)$/, methods: { GET: queryTask } },
  { path: /^tasks\/([^/]+)\/cancel$/, methods: { POST: cancelTask } },
  { path: /^uploads$/, methods: { GET: getUploadPolicy, POST: receiveUpload } },
];

/**
 * The operation that a request asks for, and the task's id in its path.
 * @throws Refusal for a path that the protocol doesn't have, or not with this method
 */
export function routeOf({ resource, pathParameters, httpMethod }: DashscopeRequest): {
  operation: Operation;
  taskId: string;
} {
  // The path itself may begin with the base path of a custom domain; these are what the API matched.
  const path = (pathParameters?.proxy ?? resource.replace(/^\/api\/v1\//, '')).replace(/\/$/, '');
  const route = routes.find((candidate) => candidate.path.test(path));
  if (!route) throw new Refusal('NotFound', 'There is no such route. Check the path; it is case-sensitive.');
  const operation = Object.hasOwn(route.methods, httpMethod) ? route.methods[httpMethod] : undefined;
  if (operation) return { operation, taskId: route.path.exec(path)?.[1] ?? '' };
  const allow = Object.keys(route.methods).join(', ');
  throw new Refusal('MethodNotAllowed', `The route does not take this method, but ${allow}.`, { allow });
}
