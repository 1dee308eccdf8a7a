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
import { aVideo } from '../support/videos.ts';
import { playExecution } from './interleavings-execution.ts';
import { aStage, type Decision } from './interleavings-stage.ts';
import { moodyWan } from './interleavings-wan.ts';
import { Crash, notSent } from './workflow/support.ts';

export type Services = CreateTaskServices &
  CheckTaskServices &
  ArchiveServices &
  RetryServices &
  DeleteServices &
  DeletionServices;
export type Through = <Result>(effect: () => Promise<Result>) => Promise<Result>;

/** Where a video stands when its world begins; `failing`: it just failed, and nothing of what it held is given back yet. */
export type Beginning = 'queued' | 'submitting' | 'running' | 'archiving' | 'failing';

/** Who may come and act on a video: its owner, and invocations that come twice. */
const deeds = {
  cancel: (services, { id }) => cancel(services, requestFor(id), owner),
  retry: (services, { id }) => retry(services, requestFor(id), owner),
  delete: (services, { id }) => deleteVideo(services, requestFor(id), owner),
  sweep: (services, { model }) => sweep(services, [model]),
  dispatch: (services, { model }) => dispatch(services, model),
  'create again': (services, video) => again(services, video, createTask),
  'check again': (services, video) => again(services, video, checkTask),
  'archive again': (services, video) => again(services, video, archiveVideo),
} as const satisfies Record<string, (services: Services, video: VideoRecord) => Promise<unknown>>;
export type Deed = keyof typeof deeds;

/** As long as a Lambda of ours may take, but for those that copy: longer than a lost answer is looked for. */
const INVOCATION_SECONDS = 240;

const owner = { owner: 'alice', key_id: 'k1' };
const requestFor = (id: string): ApiRequest => ({ ...apiRequest, pathParameters: { id }, requestContext: {} });

async function again(
  services: Services,
  { id }: VideoRecord,
  invoke: (services: Services, input: { id: string; run: number }) => Promise<unknown>,
): Promise<void> {
  const video = await readVideo(services.table, id);
  // A second invocation fails as the first does; what it throws goes to nobody.
  if (video) await invoke(services, video).catch(() => undefined);
}

/** A lane with one video that stands at a beginning, and everybody who has to do with it: the real code over a real table and S3. */
export async function aWorld(
  ground: { table: Table; s3: S3Client; clock: { now: number } },
  given: { beginning: Beginning; permits?: number },
) {
  const { table, s3, clock } = ground;
  const pass = (milliseconds: number): void => {
    clock.now += milliseconds;
  };
  const stage = aStage();
  const issues: string[] = [];
  const answers: { deed: Deed; status: number }[] = [];
  let buried: VideoRecord | undefined;
  const { tasks, wan, feel } = moodyWan(table.now, () => {
    if (buried) issues.push('A task was made for a video that was deleted.');
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
          invoke: (act) => act(servicesThrough(oneInvocation(through))),
          wait: (seconds) => through(async () => pass(seconds * 1000)),
          beside: (act) =>
            stage.enter(`beside ${name}`, (own) => act(servicesThrough(oneInvocation(own))).catch(() => undefined)),
        });
      },
      () => executions.set(name, end),
    );
  };

  /**
   * The effects of one invocation: cut off when its time is over, and none when it has died, whatever its code makes of the error.
   */
  const oneInvocation = (through: Through): Through => {
    const cutOff = clock.now + INVOCATION_SECONDS * 1000;
    let isDead = false;
    return async (effect) => {
      if (isDead) throw new Crash('it is dead');
      try {
        return await through(() => (clock.now > cutOff ? Promise.reject(new Crash('its time is over')) : effect()));
      } catch (error) {
        isDead ||= error instanceof Crash;
        throw error;
      }
    };
  };

  function servicesThrough(through: Through): Services {
    const sent = async (command: { input: { Item?: { tombstone?: unknown } } }) => {
      const before = command.input.Item?.tombstone ? await readVideo(table, video.id) : undefined;
      const answer = await table.client.send(command as never);
      buried ??= before;
      return answer;
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
    const gated: Services = {
      table: { ...table, client },
      s3: { send: (command: never) => through(() => s3.send(command)) } as S3Client,
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
      resolveMediaUrls: async ({ input }) => ({ img_url: input.img_url }),
      mediaTransfer: 'url',
      uncertainSeconds: 120,
      configuredSeconds: 60,
      recordMetric: () => undefined,
      onAmbiguous: () => undefined,
      startWatcher: async () => undefined,
      onWatcherNotStarted: () => undefined,
      onUnknownStatus: () => undefined,
      monthlySpendingLimit: 1000,
      sleep: async (milliseconds) => pass(Math.max(0, milliseconds)),
      copyAndVerify: async (_, __, key) => {
        const { VersionId } = await gated.s3.send(new PutObjectCommand({ Bucket: 'videos', Key: key, Body: key }));
        return { video: { ...proven, ...(VersionId ? { version_id: VersionId } : {}) }, warnings: [] };
      },
      dispatch: async (each) => void (await dispatch(gated, each.model, { include: each, limit: 1 })),
      onDispatchError: () => undefined,
      readQueuePosition: async () => undefined,
    };
    return gated;
  }

  const atOnce = servicesThrough((effect) => effect());
  const video = aVideo({ estimated_cost: price }, clock.now);
  await createVideo(table, { ...video, input: { ...video.input, prompt: video.id } });
  await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: `inputs/${video.id}/image.png`, Body: 'image' }));
  await begin();

  /** Brings the video to its beginning by the same code, undisturbed. Its execution stands before its first effect. */
  async function begin(): Promise<void> {
    if (given.beginning === 'queued') return;
    await dispatch(atOnce, video.model);
    const input = { id: video.id, run: 1 };
    if (given.beginning === 'submitting') return;
    await createTask(atOnce, input);
    if (given.beginning === 'archiving') {
      tasks[0]!.status = 'SUCCEEDED';
      await checkTask(atOnce, input);
    }
    if (given.beginning === 'failing') {
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

  /** Whatever died when: after a sweep, the permits are those of the videos at Wan, or about to be. */
  async function lookAtPermit(): Promise<void> {
    const now = await readVideo(table, video.id);
    const needs = now?.status === 'submitting' || now?.status === 'running';
    const has = (await readModelQueue(table, video.model)).running.has(video.id);
    if (needs !== has)
      issues.push(`After a sweep the video is ${now?.status} and its permit ${has ? '' : 'not '}taken.`);
  }

  async function perform(deed: Deed, services: Services): Promise<void> {
    try {
      const answer = await deeds[deed](services, video);
      if (answer && 'statusCode' in answer) answers.push({ deed, status: answer.statusCode });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      answers.push({ deed, status: error.status });
    }
  }

  return {
    video,
    tasks,
    answers,
    issues,
    surprises: stage.surprises,
    buried: () => buried,
    /** Lets all of them act at once with whatever runs already, as decided. */
    async play(cast: readonly Deed[], { decided, moods }: { decided: readonly Decision[]; moods: readonly number[] }) {
      feel(moods);
      for (const deed of cast) stage.enter(deed, (through) => perform(deed, servicesThrough(oneInvocation(through))));
      await stage.play(decided);
      feel([]);
    },
    /** An hour goes by, then a sweep comes and all goes well, again and again until the video has ended; then its deletion is finished. */
    async settle() {
      let now: VideoRecord | undefined;
      for (let hours = 0; hours < 8; hours++) {
        pass(3600_000);
        const { failed } = await sweep(atOnce, [video.model]);
        issues.push(...failed.map(({ step, error }) => `The sweep failed with ${step}: ${error}`));
        await lookAtPermit();
        await stage.play();
        now = await readVideo(table, video.id);
        if (!now || isTerminal(now.status)) break;
      }
      if (now && !isTerminal(now.status)) issues.push(`The video is ${now.status} for ever.`);
      await finishDeletions(atOnce);
      return now;
    },
  };
}

const price = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2026-01-01' } as const;
const proven = {
  bytes: 1,
  sha256: '00',
  content_type: 'video/mp4',
  duration_seconds: 5,
  width: 832,
  height: 480,
  fps: 30,
  codecs: ['avc1'],
};
