import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type DropEventServices, type DropInvocation, eventsOf, takeEvent } from '../../functions/drops/drop-event.ts';
import { startWait } from '../../functions/drops/drop-wait.ts';
import { findLatest, readObject, readSmallFile } from '../../functions/drops/dropped-object.ts';
import { MAX_SETTINGS_BYTES } from '../../functions/drops/settings-file.ts';
import { tellResult } from '../../functions/drops/write-result.ts';
import { dispatcherOf, watchEndings } from '../../functions/entries/services.ts';
import { sweep } from '../../functions/maintenance/sweep.ts';
import { pacedWan } from '../../functions/polling/rate-limited-wan.ts';
import { dispatch, dispatchOne } from '../../functions/queue/dispatch.ts';
import { type FunctionName, readEnvironment } from '../../functions/shared/environment.ts';
import type { Measure } from '../../functions/shared/metrics.ts';
import type { Table } from '../../functions/video/table.ts';
import { offeredModelNames } from '../../functions/wan/catalogue.ts';
import { createWanClient } from '../../functions/wan/client/client.ts';
import { archiveVideo } from '../../functions/workflow/archive-video.ts';
import { checkTask } from '../../functions/workflow/check-task.ts';
import { createTask } from '../../functions/workflow/create-task.ts';
import { mediaForWan } from '../../functions/workflow/media-urls.ts';
import { recordFailure } from '../../functions/workflow/record-failure.ts';
import { copyAndProve } from '../../functions/workflow/verify-video.ts';
import type { VirtualClock } from './clock.ts';
import type { Handler } from './lambda.ts';

/** What stands in for the services that the entries build their clients for. */
export interface World {
  clock: VirtualClock;
  /** From 0 to 1. */
  random: () => number;
  table: Table;
  s3: S3Client;
  stepFunctions: Pick<SFNClient, 'send'>;
  sqs: Pick<SQSClient, 'send'>;
  wanFetch: typeof fetch;
  measure: Measure;
  environmentOf: (name: FunctionName) => NodeJS.ProcessEnv;
  /** Told of trouble that the code itself only logs. */
  log: (error: unknown) => void;
}

/** Each function's entry: composed as its `*.lambda.ts` does, from the environment that the template gives it. */
type Entries = Partial<Record<FunctionName, (world: World) => Handler>>;

const entries: Entries = {
  drop: (world) => {
    const environment = readEnvironment('drop', world.environmentOf('drop'));
    const table = watched(world, false);
    const waiting = {
      client: world.sqs,
      queueUrl: environment.DROP_QUEUE_URL,
      seconds: environment.DROP_RULES.sidecar_seconds,
    };
    const services: DropEventServices = {
      table,
      defaults: environment.DROP_DEFAULTS,
      rules: environment.DROP_RULES,
      trustedOrigins: environment.TRUSTED_ORIGINS,
      wanRegion: environment.WAN_REGION,
      findLatest: ({ bucket, key }) => findLatest(world.s3, bucket, key),
      readObject: (object) => readObject(world.s3, object),
      readFile: ({ bucket, key }) => readSmallFile(world.s3, { bucket, key, most: MAX_SETTINGS_BYTES }),
      startWait: (object) => startWait(waiting, object),
      takeManifest: async () => undefined,
      dispatch: dispatchOne(dispatcherOf(environment, table, world.stepFunctions)),
      logUndispatched: (_video, error) => world.log(error),
      measure: world.measure,
    };
    return async (invocation: DropInvocation) => {
      for (const { event, waited } of eventsOf(invocation)) await takeEvent(services, event, { waited });
    };
  },
  dispatch: (world) => {
    const environment = readEnvironment('dispatch', world.environmentOf('dispatch'));
    const dispatcher = dispatcherOf(environment, world.table, world.stepFunctions);
    return () => Promise.all(offeredModelNames.map((model) => dispatch(dispatcher, model)));
  },
  'create-task': (world) => {
    const environment = readEnvironment('create-task', world.environmentOf('create-task'));
    const wan = wanOf(world, environment.WAN_BASE_URL);
    const services = {
      ...dispatcherOf(environment, world.table, world.stepFunctions),
      wan,
      mediaForWan: (...[video, transfer]: [Parameters<typeof mediaForWan>[1], Parameters<typeof mediaForWan>[2]]) =>
        mediaForWan({ s3: world.s3, wan }, video, transfer),
      mediaTransfer: environment.IMAGE_TRANSFER,
      wanRegion: environment.WAN_REGION,
      uncertainSeconds: environment.UNCERTAIN_SECONDS,
      monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
      configuredSeconds: environment.TYPICAL_SECONDS,
      logSeveral: () => undefined,
      ...timeOf(world),
    };
    return (input: Parameters<typeof createTask>[1]) => createTask(services, input);
  },
  'check-task': (world) => {
    const environment = readEnvironment('check-task', world.environmentOf('check-task'));
    const services = {
      ...dispatcherOf(environment, watched(world, false), world.stepFunctions),
      wan: wanOf(world, environment.WAN_BASE_URL),
      configuredSeconds: environment.TYPICAL_SECONDS,
      ...timeOf(world),
    };
    return (input: Parameters<typeof checkTask>[1]) => checkTask(services, input);
  },
  'archive-video': (world) => {
    const environment = readEnvironment('archive-video', world.environmentOf('archive-video'));
    const { s3, clock, wanFetch } = world;
    const bucket = environment.VIDEOS_BUCKET;
    const copying = {
      s3,
      bucket,
      fetch: wanFetch,
      videoHosts: environment.VIDEO_HOSTS,
      trustedOrigins: environment.TRUSTED_ORIGINS,
      now: clock.now,
      measure: world.measure,
      logger: { error: (...line: unknown[]) => world.log(line) },
    };
    const services = {
      table: watched(world, environment.COPY_VIDEO_BESIDE),
      s3,
      bucket,
      wan: wanOf(world, environment.WAN_BASE_URL),
      wanRegion: environment.WAN_REGION,
      copyAndProve: (...[video, url, key]: [Parameters<typeof copyAndProve>[1], string, string]) =>
        copyAndProve(copying, video, url, key),
    };
    return (input: Parameters<typeof archiveVideo>[1]) => archiveVideo(services, input);
  },
  'record-failure': (world) => {
    const environment = readEnvironment('record-failure', world.environmentOf('record-failure'));
    const dispatcher = dispatcherOf(environment, watched(world, false), world.stepFunctions);
    return (input: Parameters<typeof recordFailure>[1]) => recordFailure(dispatcher, input);
  },
  sweep: (world) => {
    const environment = readEnvironment('sweep', world.environmentOf('sweep'));
    const dispatcher = dispatcherOf(environment, watched(world, false), world.stepFunctions);
    return async () => {
      const { failed } = await sweep(dispatcher, offeredModelNames);
      for (const { error } of failed) world.log(error);
    };
  },
};

/** What a container of a function does when it loads the entry. @throws Error for a function that has no part in a bench */
export function loadFunction(world: World, name: FunctionName): Handler {
  const load = entries[name];
  if (!load) throw new Error(`The simulation has no function ${name}.`);
  // What code remembers by its client is a container's own.
  const { table } = world;
  return load({ ...world, table: { ...table, client: { send: table.client.send } as Table['client'] } });
}

/** Whether a simulation runs it. */
export const isSimulated = (name: FunctionName): boolean => entries[name] !== undefined;

/** What the entries take from the machine. */
const timeOf = ({ clock, measure, random }: World) => ({
  measure,
  random,
  sleep: (milliseconds: number) => clock.sleep(milliseconds),
});

const wanOf = (world: World, baseUrl: string) =>
  pacedWan(createWanClient({ baseUrl, apiKey: async () => 'sk-bench', fetch: world.wanFetch }), {
    table: world.table,
    ...timeOf(world),
  });

const watched = ({ table, s3, measure, log }: World, copyVideo: boolean): Table =>
  watchEndings(table, {
    measure,
    tellResult: (video) => tellResult({ table, s3, copyVideo }, video),
    logUntold: (_video, error) => log(error),
  });
