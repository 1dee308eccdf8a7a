import { setTimeout as sleep } from 'node:timers/promises';
import { ask, drop, submit } from './caller.ts';
import { invoke } from './conclude.ts';
import { dice } from './dice.ts';
import type { Stage } from './stage.ts';
import { dropKeyOf, owners, type SubmittedVideo, subscriptions, wantedVideo } from './wanted-videos.ts';
import { type Watch, watchVideos } from './watch.ts';
import { webhookTime } from './webhook-time.ts';

export interface CampaignOptions {
  seed: number;
  videos: number;
  /** How often the process is killed and restarted. */
  kills: number;
  /** Maximum concurrent requests. More than a function has workers would time out at the gateway. */
  requests: number;
  /** Receives progress messages. */
  report?(line: string): void;
}

/** Maximum concurrent videos: enough to keep every model queue busy, and few enough that submissions continue until the end. */
const maxConcurrent = 60;
/** Fault injection stops when less than this share of the videos remains. */
const faultFreeShare = 0.03;
/** Milliseconds between scheduled invocations, and between the attempts of a webhook; 1 minute or more in a deployment. */
const scheduled = 20_000;
/** After this share of the videos, the owners rotate the secrets of their webhooks. */
const rotated = 0.8;
/** Milliseconds without an ended video after which the campaign counts as stuck. An execution that is not woken waits 3 minutes. */
const timeout = 240_000;

/**
 * Makes videos under faults until the callers know the end of each, or progress stops. When it resolves, no faults are injected any
 * more, and the stack still runs.
 */
export async function runCampaign(stage: Stage, options: CampaignOptions): Promise<SubmittedVideo[]> {
  const { seed, videos, kills, requests, report = () => undefined } = options;
  const api = () => stage.addresses().api_url;
  await Promise.all(Object.values(owners).map((owner) => subscribe(stage, owner)));
  const watch = watchVideos(api, videos > 100 ? 3 : 1);
  const submitted: SubmittedVideo[] = [];
  const limited = createLimit(requests);
  let ended = 0;
  let lastProgress = Date.now();

  const wanted = Array.from({ length: videos }, (_, index) => wantedVideo(seed, index)).entries();
  const nextCaller = async () => {
    for (const [, video] of wanted) {
      const one: SubmittedVideo = { wanted: video, id: '', retries: 0, canceled: false, deleted: false };
      submitted.push(one);
      await makeVideo(stage, watch, limited, one);
      ended++;
      lastProgress = Date.now();
    }
  };
  const callers = Promise.all(Array.from({ length: Math.min(maxConcurrent, videos) }, nextCaller));
  /** Waits until the given number of videos has ended, or progress stops. */
  const untilEnded = async (count: number) => {
    while (ended < count && Date.now() - lastProgress < timeout) await sleep(50);
  };
  const course = async () => {
    for (let kill = 1; kill <= kills; kill++) {
      await untilEnded((videos * (kill - 1 + dice(seed, 'kill', kill))) / (kills + 0.5));
      await sleep(1000 * dice(seed, 'kill moment', kill));
      await stage.killAndRestart();
      lastProgress = Date.now();
      report(`killed and restarted after ${ended} of ${videos} videos`);
    }
    await untilEnded(videos * rotated);
    await Promise.all(Object.values(owners).map((owner) => rotateSecret(stage, owner)));
    // Webhooks that were signed before have arrived then.
    setTimeout(stage.receiver.forgetPrevious, 15_000).unref();
    await untilEnded(videos * (1 - faultFreeShare));
    stage.endFaults();
    lastProgress = Date.now();
    report(`${ended} of ${videos} videos have ended; stopped injecting faults`);
    await untilEnded(videos);
  };
  const passWebhookTime = webhookTime(() => stage.addresses().aws_url, stage.receiver.url);
  const schedule = setInterval(() => {
    // May fail, because the process was killed or by a fault; the next invocation follows soon.
    for (const name of ['watch', 'sweep'] as const) invoke(stage, name, 'Event').catch(() => undefined);
    passWebhookTime()
      .then(() => invoke(stage, 'dispatch', 'Event'))
      .catch(() => undefined);
  }, scheduled);
  try {
    // An error of a caller also ends the campaign.
    await Promise.race([course(), callers.then(() => new Promise<never>(() => {}))]);
    return submitted.sort((one, other) => one.wanted.index - other.wanted.index);
  } finally {
    clearInterval(schedule);
    await watch.close();
  }
}

type Limit = <Value>(work: () => Promise<Value>) => Promise<Value>;

/** Limits concurrency; further work waits. */
function createLimit(limit: number): Limit {
  const waiting: (() => void)[] = [];
  let free = limit;
  return async (work) => {
    if (free === 0) await new Promise<void>((turn) => waiting.push(turn));
    else free--;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** Subscribes an owner to events of all videos. */
async function subscribe(stage: Stage, owner: string): Promise<void> {
  const body = JSON.stringify({ url: `${stage.receiver.url}/${owner}`, events: subscriptions[owner] });
  const { status } = await ask(() => stage.addresses().api_url, owner, '/webhook', { method: 'PUT', body });
  if (status !== 200) throw new Error(`PUT /webhook answered ${status}.`);
  await rotateSecret(stage, owner);
}

/** Gets a new secret. A lost response makes two, and only the latest two sign, so no webhook may depend on the previous one meanwhile. */
const rotateSecret = (stage: Stage, owner: string): Promise<void> =>
  stage.receiver.rotate(owner, async () => {
    const { status, body } = await ask(() => stage.addresses().api_url, owner, '/webhook/secret', { method: 'POST' });
    if (status !== 201) throw new Error(`POST /webhook/secret answered ${status}.`);
    return String(body.secret);
  });

/** Requests the first webhook of an ended video again. The sweep publishes an ending that was not published immediately. */
async function redeliver(
  api: () => string,
  owner: string,
  route: string,
): Promise<NonNullable<SubmittedVideo['redelivered']>> {
  for (;;) {
    const { body } = await ask(api, owner, `${route}/deliveries`);
    const [first] = (body.data ?? []) as { sequence: number }[];
    if (!first) {
      await sleep(1000);
      continue;
    }
    const { sequence } = first;
    const at = Date.now();
    const { status } = await ask(api, owner, `${route}/deliveries/${sequence}/redeliver`, { method: 'POST' });
    if (status !== 202) throw new Error(`POST ${route}/deliveries/${sequence}/redeliver answered ${status}.`);
    return { sequence, at };
  }
}

/** Performs a caller's actions with one video until its end, and records them in `submitted`. */
async function makeVideo(stage: Stage, watch: Watch, limited: Limit, submitted: SubmittedVideo): Promise<void> {
  const api = () => stage.addresses().api_url;
  const { wanted } = submitted;
  const { owner, action } = wanted;
  if (wanted.channel === 'api') submitted.id = await limited(() => submit(api, stage.receiver.url, wanted));
  else {
    await limited(() => drop(stage.s3, 'firstframe-uploads', stage.receiver.url, wanted));
    submitted.id = (await watch.dropped(dropKeyOf(wanted))).id;
  }
  const route = `/videos/${submitted.id}`;
  if (action === 'cancel') {
    await sleep(wanted.cancelAfterMilliseconds);
    submitted.canceled = (await ask(api, owner, `${route}/cancel`, { method: 'POST' })).status === 200;
  }
  await watch.ended(submitted.id);
  if (action === 'retry') {
    submitted.retries = (await ask(api, owner, `${route}/retry`, { method: 'POST' })).possible_effects;
    await watch.ended(submitted.id);
  }
  if (action === 'redeliver') submitted.redelivered = await redeliver(api, owner, route);
  if (action === 'delete') submitted.deleted = (await ask(api, owner, route, { method: 'DELETE' })).status === 204;
}
