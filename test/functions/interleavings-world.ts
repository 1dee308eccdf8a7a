import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ExecutionAlreadyExists, ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import type { ApiRequest } from '../../functions/api/http/request.ts';
import { cancel } from '../../functions/api/videos/cancel.ts';
import { type DeleteServices, deleteVideo } from '../../functions/api/videos/delete.ts';
import { type RetryServices, retry } from '../../functions/api/videos/retry.ts';
import { type DeletionServices, finishDeletions } from '../../functions/maintenance/finish-deletions.ts';
import { sweep } from '../../functions/maintenance/sweep.ts';
import { dispatch } from '../../functions/queue/dispatch.ts';
import { readModelQueue } from '../../functions/queue/model-queue.ts';
import { ProblemError } from '../../functions/shared/problem.ts';
import { isTerminal, type VideoRecord } from '../../functions/video/record.ts';
import { changeStatus, changeVideo, createVideo, readVideo } from '../../functions/video/store.ts';
import type { Table } from '../../functions/video/table.ts';
import { explainFailure } from '../../functions/wan/failures.ts';
import { type ArchiveServices, archiveVideo } from '../../functions/workflow/archive-video.ts';
import { type CheckTaskServices, checkTask } from '../../functions/workflow/check-task.ts';
import { type CreateTaskServices, createTask } from '../../functions/workflow/create-task.ts';
import { recordFailure } from '../../functions/workflow/record-failure.ts';
import apiRequest from '../fixtures/events/api-request.json' with { type: 'json' };
import { aDeployment, aVideo } from '../support/videos.ts';
import { playExecution } from './interleavings-execution.ts';
import { aStage, type Decision } from './interleavings-stage.ts';
import { faultyWan } from './interleavings-wan.ts';
import { Crash, notSent } from './workflow/support.ts';

export type Services = CreateTaskServices &
  CheckTaskServices &
  ArchiveServices &
  RetryServices &
  DeleteServices &
  DeletionServices;
export type Through = <Result>(effect: () => Promise<Result>) => Promise<Result>;

/** The initial status of the video. `failing`: it has just failed, and its permit and reservation are not released yet. */
export type InitialStatus = 'queued' | 'submitting' | 'running' | 'archiving' | 'failing';

/** What may act on a video: its owner, scheduled functions, and duplicate invocations. */
const actions = {
  cancel: (services, { id }) => cancel(services, requestFor(id), owner),
  retry: (services, { id }) => retry(services, requestFor(id), owner),
  delete: (services, { id }) => deleteVideo(services, requestFor(id), owner),
  sweep: (services, { model }) => sweep(services, [model]),
  dispatch: (services, { model }) => dispatch(services, model),
  'create again': (services, video) => again(services, video, createTask),
  'check again': (services, video) => again(services, video, checkTask),
  'archive again': (services, video) => again(services, video, archiveVideo),
} as const satisfies Record<string, (services: Services, video: VideoRecord) => Promise<unknown>>;
export type Action = keyof typeof actions;

/** The timeout of all functions but those that copy: longer than a lost task is searched for. */
const INVOCATION_SECONDS = 240;

const owner = { owner: 'alice', key_id: 'k1' };
const requestFor = (id: string): ApiRequest => ({ ...apiRequest, pathParameters: { id }, requestContext: {} });

async function again(
  services: Services,
  { id }: VideoRecord,
  invoke: (services: Services, input: { id: string; run: number }) => Promise<unknown>,
): Promise<void> {
  const video = await readVideo(services.table, id);
  // Errors of a duplicate invocation are discarded.
  if (video) await invoke(services, video).catch(() => undefined);
}

/** Creates a model queue with one video in its initial status, and runs the real code with an in-memory table and S3. */
export async function aWorld(
  environment: { table: Table; s3: S3Client; clock: { now: number } },
  given: { initial: InitialStatus; permits?: number },
) {
  const { table, s3, clock } = environment;
  const pass = (milliseconds: number): void => {
    clock.now += milliseconds;
  };
  const stage = aStage();
  const issues: string[] = [];
  const responses: { action: Action; status: number }[] = [];
  let deleted: VideoRecord | undefined;
  const { tasks, wan, setFaults } = faultyWan(table.now, () => {
    if (deleted) issues.push('A task was created for a deleted video.');
  });

  const executions = new Map<string, 'RUNNING' | 'SUCCEEDED' | 'FAILED'>();
  const startExecution = (name: string, input: { id: string; run: number }) => {
    if (executions.has(name)) throw new ExecutionAlreadyExists({ message: name, $metadata: {} });
    executions.set(name, 'RUNNING');
    let end: 'SUCCEEDED' | 'FAILED' = 'FAILED';
    stage.enter(
      `execution ${name}`,
      async (through) => {
        end = await playExecution(input, {
          invoke: (run) => run(servicesThrough(oneInvocation(through))),
          wait: (seconds) => through(async () => pass(seconds * 1000)),
          duplicate: (run) =>
            stage.enter(`duplicate of ${name}`, (own) =>
              run(servicesThrough(oneInvocation(own))).catch(() => undefined),
            ),
        });
      },
      () => executions.set(name, end),
    );
  };

  /**
   * Limits the effects of one invocation: no effect succeeds after its timeout or crash, even if its code catches the error.
   */
  const oneInvocation = (through: Through): Through => {
    const deadline = clock.now + INVOCATION_SECONDS * 1000;
    let hasCrashed = false;
    return async (effect) => {
      if (hasCrashed) throw new Crash('the invocation has crashed');
      try {
        return await through(() =>
          clock.now > deadline ? Promise.reject(new Crash('the invocation has timed out')) : effect(),
        );
      } catch (error) {
        hasCrashed ||= error instanceof Crash;
        throw error;
      }
    };
  };

  function servicesThrough(through: Through): Services {
    const sent = async (command: { input: { Item?: { tombstone?: unknown } } }) => {
      const before = command.input.Item?.tombstone ? await readVideo(table, video.id) : undefined;
      const response = await table.client.send(command as never);
      deleted ??= before;
      return response;
    };
    const client = { send: (command: never) => through(() => sent(command)) } as Table['client'];
    const workflow = {
      send: (command: { input: { name?: string; input?: string; executionArn?: string } }) =>
        through(async () => {
          const { name, input, executionArn } = command.input;
          if (name) return startExecution(name, JSON.parse(input!));
          const status = executions.get(executionArn!.split(':').at(-1)!);
          if (!status) throw new ExecutionDoesNotExist({ message: 'none', $metadata: {} });
          return { status };
        }),
    } as never;
    const services: Services = {
      table: { ...table, client },
      s3: { send: (command: never) => through(() => s3.send(command)) } as S3Client,
      publish: async () => undefined,
      bucket: 'videos',
      videosBucket: 'videos',
      uploadsBucket: 'uploads',
      workflow: { client: workflow, stateMachineArn: 'arn:aws:states:us-east-1:0:stateMachine:videos' },
      limitsOf: (model) => ({ model, permits: given.permits ?? 1, submit_interval_ms: 1 }),
      wan: {
        ...wan,
        createTask: (request, signal) => through(async () => (signal?.aborted ? notSent : wan.createTask(request))),
        queryTask: (id) => through(() => wan.queryTask(id)),
        listTasks: (query) => through(() => wan.listTasks(query)),
        cancelTask: (id) => through(() => wan.cancelTask(id)),
      },
      wanRegion: 'singapore',
      deployment: aDeployment(),
      resolveMediaUrls: async ({ input }) => input.media,
      mediaTransfer: 'url',
      uncertainSeconds: 120,
      configuredSeconds: 60,
      recordMetric: () => undefined,
      onAmbiguous: () => undefined,
      startWatcher: async () => undefined,
      onWatcherNotStarted: () => undefined,
      onUnknownStatus: () => undefined,
      onDownloadFailed: () => undefined,
      monthlySpendingLimit: 1000,
      sleep: async (milliseconds) => pass(Math.max(0, milliseconds)),
      copyAndVerify: async (_, __, key) => {
        const { VersionId } = await services.s3.send(new PutObjectCommand({ Bucket: 'videos', Key: key, Body: key }));
        return { video: { ...verified, ...(VersionId ? { version_id: VersionId } : {}) }, warnings: [] };
      },
      dispatch: async (each) => void (await dispatch(services, each.model, { include: each, limit: 1 })),
      onDispatchError: () => undefined,
      readQueuePosition: async () => undefined,
    };
    return services;
  }

  const direct = servicesThrough((effect) => effect());
  const video = aVideo({ estimated_cost: price }, clock.now);
  await createVideo(table, { ...video, input: { ...video.input, prompt: video.id } });
  await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: `inputs/${video.id}/image.png`, Body: 'image' }));
  await prepare();

  /** Brings the video to its initial status by the same code, without faults. Its execution is paused before its first effect. */
  async function prepare(): Promise<void> {
    if (given.initial === 'queued') return;
    await dispatch(direct, video.model);
    const input = { id: video.id, run: 1 };
    if (given.initial === 'submitting') return;
    await createTask(direct, input);
    if (given.initial === 'archiving') {
      tasks[0]!.status = 'SUCCEEDED';
      await checkTask(direct, input);
    }
    if (given.initial === 'failing') {
      tasks[0]!.status = 'FAILED';
      const error = explainFailure({ code: 'InternalError', stage: 'task' });
      const running = (await readVideo(table, video.id))!;
      const noted = await changeVideo(table, running, { set: { task: { ...running.task!, status: 'FAILED' } } });
      await changeStatus(table, noted!, 'failed', { set: { error } });
      for (const name of ['first', 'second']) {
        stage.enter(`${name} record-failure`, (through) =>
          recordFailure(servicesThrough(oneInvocation(through)), { ...input, error }),
        );
      }
    }
  }

  /** After a sweep the video must have a permit exactly when it needs one. */
  async function checkPermit(): Promise<void> {
    const now = await readVideo(table, video.id);
    const needs = now?.status === 'submitting' || now?.status === 'running';
    const has = (await readModelQueue(table, video.model)).running.has(video.id);
    if (needs !== has)
      issues.push(`After a sweep the video is ${now?.status} and its permit is ${has ? '' : 'not '}held.`);
  }

  async function perform(action: Action, services: Services): Promise<void> {
    try {
      const response = await actions[action](services, video);
      if (response && 'statusCode' in response) responses.push({ action, status: response.statusCode });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      responses.push({ action, status: error.status });
    }
  }

  return {
    video,
    tasks,
    responses,
    issues,
    unexpectedErrors: stage.unexpectedErrors,
    deleted: () => deleted,
    /** Runs the actions concurrently with everything that runs already, in the decided order. */
    async play(
      actors: readonly Action[],
      { decided, faults }: { decided: readonly Decision[]; faults: readonly number[] },
    ) {
      setFaults(faults);
      for (const action of actors)
        stage.enter(action, (through) => perform(action, servicesThrough(oneInvocation(through))));
      await stage.play(decided);
      setFaults([]);
    },
    /** Runs an hourly sweep without faults until the video has ended, then finishes deletions. */
    async settle() {
      let now: VideoRecord | undefined;
      for (let hours = 0; hours < 8; hours++) {
        pass(3600_000);
        const { failed } = await sweep(direct, [video.model]);
        issues.push(...failed.map(({ step, error }) => `The sweep failed with ${step}: ${error}`));
        await checkPermit();
        await stage.play();
        now = await readVideo(table, video.id);
        if (!now || isTerminal(now.status)) break;
      }
      if (now && !isTerminal(now.status)) issues.push(`The video stays ${now.status}.`);
      await finishDeletions(direct);
      return now;
    },
  };
}

const price = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2026-01-01' } as const;
const verified = {
  bytes: 1,
  sha256: '00',
  content_type: 'video/mp4',
  duration_seconds: 5,
  width: 832,
  height: 480,
  fps: 30,
  codecs: ['avc1'],
  provenance: { c2pa: false, aigc_label: false, watermark: false },
};
