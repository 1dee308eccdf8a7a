import { setTimeout as sleep } from 'node:timers/promises';
import { ask, drop, submit } from './caller.ts';
import { invoke } from './conclude.ts';
import { dice } from './dice.ts';
import type { Stage } from './stage.ts';
import { type AskedFor, dropKeyOf, wantedVideo } from './wanted-videos.ts';
import { type Watch, watchVideos } from './watch.ts';

export interface CampaignOptions {
  seed: number;
  videos: number;
  /** How often the whole process is killed and started again. */
  kills: number;
  /** Requests at once: more than a function has workers would wait until the gateway gives them up. */
  requests: number;
  /** Told how it goes. */
  report?(line: string): void;
}

/** So many videos may be under way at once: enough to keep every lane busy, and few enough that submissions go on until the end. */
const underWay = 60;
/** Once fewer than this part of all videos is left, nothing goes wrong any more. */
const calmFrom = 0.03;
/** In milliseconds. What the schedules start each minute, or each five, is started so often here. */
const scheduled = 20_000;
/** In milliseconds: longer than this there is always one that ends, unless something hangs: an execution that nothing wakes sleeps 3 minutes. */
const patience = 240_000;

/**
 * Has videos made while things go wrong, until callers were told the end of each, or none comes any more. When it resolves nothing
 * goes wrong any more, and the stack is still up.
 */
export async function runCampaign(stage: Stage, options: CampaignOptions): Promise<AskedFor[]> {
  const { seed, videos, kills, requests, report = () => undefined } = options;
  const api = () => stage.addresses().api_url;
  const watch = watchVideos(api, videos > 100 ? 3 : 1);
  const asked: AskedFor[] = [];
  const inTurn = takeTurns(requests);
  let ended = 0;
  let news = Date.now();

  const wanted = Array.from({ length: videos }, (_, index) => wantedVideo(seed, index)).entries();
  const nextCaller = async () => {
    for (const [, video] of wanted) {
      const one: AskedFor = { wanted: video, id: '', retries: 0, canceled: false, deleted: false };
      asked.push(one);
      await makeVideo(stage, watch, inTurn, one);
      ended++;
      news = Date.now();
    }
  };
  const callers = Promise.all(Array.from({ length: Math.min(underWay, videos) }, nextCaller));
  /** Waits for so many ends, but not for what does not come any more. */
  const untilEnded = async (count: number) => {
    while (ended < count && Date.now() - news < patience) await sleep(50);
  };
  const course = async () => {
    for (let kill = 1; kill <= kills; kill++) {
      await untilEnded((videos * (kill - 1 + dice(seed, 'kill', kill))) / (kills + 0.5));
      await sleep(1000 * dice(seed, 'kill moment', kill));
      await stage.killAndRestart();
      news = Date.now();
      report(`killed and started again after ${ended} of ${videos} videos`);
    }
    await untilEnded(videos * (1 - calmFrom));
    stage.endFaults();
    news = Date.now();
    report(`${ended} of ${videos} videos have ended; nothing goes wrong any more`);
    await untilEnded(videos);
  };
  const schedule = setInterval(() => {
    // The process may just be killed, or the call fail: the next one comes soon.
    for (const name of ['watch', 'sweep'] as const) invoke(stage, name, 'Event').catch(() => undefined);
  }, scheduled);
  try {
    // What a caller failed at ends the course as well.
    await Promise.race([course(), callers.then(() => new Promise<never>(() => {}))]);
    return asked.sort((one, other) => one.wanted.index - other.wanted.index);
  } finally {
    clearInterval(schedule);
    await watch.close();
  }
}

type InTurn = <Value>(work: () => Promise<Value>) => Promise<Value>;

/** Does so many things at once; more wait. */
function takeTurns(most: number): InTurn {
  const waiting: (() => void)[] = [];
  let free = most;
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

/** All that a caller does about one video, until its end is known; `asked` tells how far it came. */
async function makeVideo(stage: Stage, watch: Watch, inTurn: InTurn, asked: AskedFor): Promise<void> {
  const api = () => stage.addresses().api_url;
  const { wanted } = asked;
  const { owner, action } = wanted;
  if (wanted.way === 'api') asked.id = await inTurn(() => submit(api, wanted));
  else {
    await inTurn(() => drop(stage.s3, 'firstframe-uploads', wanted));
    asked.id = (await watch.dropped(dropKeyOf(wanted))).id;
  }
  const route = `/videos/${asked.id}`;
  if (action === 'cancel') {
    await sleep(wanted.cancelAfterMilliseconds);
    asked.canceled = (await ask(api, owner, `${route}/cancel`, { method: 'POST' })).status === 200;
  }
  await watch.ended(asked.id);
  if (action === 'retry') {
    asked.retries = (await ask(api, owner, `${route}/retry`, { method: 'POST' })).perhaps;
    await watch.ended(asked.id);
  }
  if (action === 'delete') asked.deleted = (await ask(api, owner, route, { method: 'DELETE' })).status === 204;
}
