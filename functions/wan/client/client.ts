import { type CancelOutcome, cancelTask } from './cancel-task.ts';
import { type ClientOptions, createConnection } from './connection.ts';
import { type ListOutcome, type ListQuery, listTasks } from './list-tasks.ts';
import { type QueryOutcome, queryTask } from './query-task.ts';
import type { TaskRequest } from './submit-task.ts';
import { type CreateOutcome, createTask } from './submit-task.ts';
import { type Upload, type UploadOutcome, uploadFile } from './upload-file.ts';

/** Wan's asynchronous tasks. Every call returns an outcome. No call is retried. */
export type WanClient = {
  createTask(request: TaskRequest, signal?: AbortSignal): Promise<CreateOutcome>;
  queryTask(taskId: string, signal?: AbortSignal): Promise<QueryOutcome>;
  listTasks(query: ListQuery, signal?: AbortSignal): Promise<ListOutcome>;
  cancelTask(taskId: string, signal?: AbortSignal): Promise<CancelOutcome>;
  uploadFile(upload: Upload, signal?: AbortSignal): Promise<UploadOutcome>;
};

/**
 * A client of Wan's API.
 *
 * @example
 * const wan = createWanClient({ baseUrl: regions.singapore.base_url, apiKey: async () => key, fetch });
 * const created = await wan.createTask({ model, input, parameters });
 */
export function createWanClient(options: ClientOptions): WanClient {
  const connection = createConnection(options);
  return {
    createTask: (request, signal) => createTask(connection, request, signal),
    queryTask: (taskId, signal) => queryTask(connection, taskId, signal),
    listTasks: (query, signal) => listTasks(connection, query, signal),
    cancelTask: (taskId, signal) => cancelTask(connection, taskId, signal),
    uploadFile: (upload, signal) => uploadFile(connection, options, upload, signal),
  };
}
