import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createApiKey, revokeApiKey } from '../../../functions/api/auth/api-keys.ts';
import { ownerOf } from '../../../functions/drops/drop-key.ts';
import { resultKey } from '../../../functions/drops/result-object.ts';
import { listVideos } from '../../../functions/video/list.ts';
import { isTerminal, type VideoRecord } from '../../../functions/video/record.ts';
import { readVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import type { Resolution } from '../../../functions/wan/catalogue.ts';
import type { Price } from '../../../functions/wan/prices.ts';
import type { Configuration } from '../../config.ts';
import type { Clients } from '../clients.ts';
import type { Deployment } from '../doctor/deployment.ts';
import { type Finding, failure, ok, unchecked, warning } from '../doctor/finding.ts';
import { readWanKey } from '../doctor/wan-key.ts';
import { checkEvents, unreachableWebhook } from './events.ts';
import { type CallApi, createApiCaller, poll } from './requests.ts';
import { checkResultHost, checkTaskList, describeLinks, type WanAccess } from './wan-checks.ts';

/** Much longer than a video takes: a task has no result after 3 hours at the latest, usually after 2 minutes. */
export const VIDEO_SECONDS = 1800;

/** An owner that no caller is expected to use. */
export const smokeOwner = 'firstframe-smoke';

export interface SmokeRequest {
  model: string;
  resolution: Resolution;
  price: Price;
}

export interface SmokeTest {
  clients: Clients;
  configuration: Configuration;
  deployment: Deployment;
  table: Table;
  call: CallApi;
  request: SmokeRequest;
  environment: NodeJS.ProcessEnv;
  local: boolean;
}

export async function wanAccess({
  clients,
  configuration,
  deployment,
  environment,
  local,
}: SmokeTest): Promise<WanAccess> {
  const key = await readWanKey(clients.secrets, deployment.secret);
  const baseUrl = local ? `http://127.0.0.1:${environment.WAN_PORT || 4401}/api/v1` : configuration.wanBaseUrl;
  return { baseUrl, key, fetch };
}

/** Unique, so that the task is recognized, and harmless. */
const newPrompt = (): string => `A calm sea at sunset, slow camera, study ${randomUUID()}`;

/** Makes a video through the API, and checks what only Wan can show. */
export async function videoByApi(
  { call, table, request, configuration, local, environment }: SmokeTest,
  { image, wan, keep }: { image: Buffer; wan: WanAccess; keep: boolean },
): Promise<Finding[]> {
  const prompt = newPrompt();
  const { model, resolution } = request;
  const img_url = `data:image/png;base64,${image.toString('base64')}`;
  const body = JSON.stringify({
    model,
    input: { prompt, img_url },
    parameters: { resolution },
    webhook_url: unreachableWebhook,
  });
  const created = await call('videos', { method: 'POST', body });
  const id = String(created.body.id);
  if (created.status !== 202)
    return [
      failure(`POST /videos is answered with ${created.status} (${String(created.body.code)}).`, 'npm run doctor'),
    ];
  const started = await poll(
    async () => {
      const video = await readVideo(table, id);
      return video?.task || (video && isTerminal(video.status)) ? video : undefined;
    },
    { seconds: VIDEO_SECONDS, every: 0.5 },
  );
  const { task } = started ?? {};
  if (!task) return [notEnded('API', id, started)];
  const findings = await checkTaskList(wan, { ...task, model }, prompt);
  const ended = await endedVideo(table, id);
  if (ended?.status !== 'succeeded' || !ended.video) return [...findings, notEnded('API', id, ended)];
  findings.push(ok(`The video by API succeeded in ${secondsOf(ended)} s.`));
  findings.push(...(await checkEvents(table, ended)));
  const origin = new URL(wan.baseUrl).origin;
  const trustedOrigins = local ? [origin, `http://127.0.0.1:${environment.WAN_PORT || 4401}`] : [];
  findings.push(...(await checkResultHost(wan, task, { videoHosts: configuration.videoHosts, trustedOrigins })));
  const content = await call(`videos/${id}/content`);
  const link = content.headers.get('location') ?? '';
  const bytes = link ? (await (await fetch(link)).arrayBuffer()).byteLength : 0;
  findings.push(
    bytes === ended.video.bytes
      ? ok(`The link of GET /videos/{id}/content serves all ${bytes} bytes of the archived file.`)
      : failure(`The link serves ${bytes} bytes of ${ended.video.bytes}.`, 'Check the policy of the videos bucket.'),
    ...describeLinks(link, configuration.imageTransfer, ended),
  );
  if (!keep) findings.push(...(await deleteVideo(call, id)));
  return findings;
}

/** Makes a video by a drop, and checks the time of its event and its result. */
export async function videoByDrop(
  test: SmokeTest,
  { image, keep }: { image: Buffer; keep: boolean },
): Promise<Finding[]> {
  const { clients, table, request, deployment, configuration } = test;
  const { s3 } = clients;
  const Bucket = deployment.uploads_bucket;
  const { owners } = configuration.drop;
  // A folder that the table of owners lists, otherwise one of its own.
  const folder = typeof owners === 'object' ? (Object.keys(owners)[0] ?? smokeOwner) : smokeOwner;
  const Key = `drop/${folder}/smoke-${randomUUID()}.png`;
  const owner = ownerOf(Key, { owners }, configuration.drop)!;
  const { model, resolution } = request;
  await s3.send(
    new PutObjectCommand({ Bucket, Key, Body: image, Metadata: { prompt: newPrompt(), model, resolution } }),
  );
  const { LastModified } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  const isOurs = ({ source }: VideoRecord) => source.type === 'drop' && source.key === Key;
  const found = await poll(
    async () => (await listVideos(table, { owner, limit: 20 })).videos.find(isOurs),
    // The sweep finds a drop whose event was lost after ten minutes.
    { seconds: 900, every: 1 },
  );
  if (!found)
    return [failure('The drop became no video within 15 minutes.', `npm run doctor, and the log of the function drop`)];
  // S3 cuts the time of an object to whole seconds.
  const delay = (Date.parse(found.created_at) - LastModified!.getTime()) / 1000;
  const range = `${Math.max(0, delay - 1).toFixed(1)} to ${Math.max(0, delay).toFixed(1)} s`;
  const findings: Finding[] = [
    delay < 60
      ? ok(`The event of the drop led to a record after ${range}.`)
      : warning(
          `The drop became a video only after ${range}: S3 sends events about five minutes after the first deployment.`,
          'Run the smoke test again.',
        ),
  ];
  const ended = await endedVideo(table, found.id);
  if (ended?.status !== 'succeeded') return [...findings, notEnded('drop', found.id, ended)];
  findings.push(ok(`The video by drop succeeded in ${secondsOf(ended)} s.`));
  const written = await poll(
    () => s3.send(new HeadObjectCommand({ Bucket, Key: resultKey(Key) })).catch(() => undefined),
    { seconds: 60, every: 1 },
  );
  findings.push(
    written
      ? ok('The result was written next to the image.')
      : warning('The result is not written yet.', 'The sweep writes it within 5 minutes.'),
  );
  if (!keep) findings.push(...(await removeDrop(test, { id: found.id, owner, Key })));
  return findings;
}

/** Deletes the drop's video as its owner, and the objects of the drop. */
async function removeDrop(
  { clients, configuration, deployment, table }: SmokeTest,
  { id, owner, Key }: { id: string; owner: string; Key: string },
): Promise<Finding[]> {
  const Bucket = deployment.uploads_bucket;
  const objects = [Key, resultKey(Key), ...(configuration.drop.copyVideo ? [`${Key}.mp4`] : [])];
  for (const object of objects) await clients.s3.send(new DeleteObjectCommand({ Bucket, Key: object }));
  if (configuration.auth.mode !== 'api-key') {
    return [unchecked(`the deletion of the drop's video ${id}`, `DELETE /videos/${id} as its owner ${owner}`)];
  }
  const { key, item } = await createApiKey(table, owner);
  try {
    const call = createApiCaller(deployment.api_url, { authorization: `Bearer ${key}` }, fetch);
    return await deleteVideo(call, id);
  } finally {
    await revokeApiKey(table, item.key_id);
  }
}

async function deleteVideo(call: CallApi, id: string): Promise<Finding[]> {
  const { status } = await call(`videos/${id}`, { method: 'DELETE' });
  return status === 204 ? [] : [warning(`DELETE /videos/${id} is answered with ${status}.`, 'Delete it later.')];
}

const endedVideo = (table: Table, id: string): Promise<VideoRecord | undefined> =>
  poll(
    async () => {
      const video = await readVideo(table, id);
      return video && isTerminal(video.status) ? video : undefined;
    },
    { seconds: VIDEO_SECONDS, every: 1 },
  );

const secondsOf = ({ created_at, updated_at }: VideoRecord): number =>
  Math.round((Date.parse(updated_at) - Date.parse(created_at)) / 1000);

const notEnded = (by: string, id: string, video: VideoRecord | undefined): Finding =>
  failure(
    video
      ? `The video ${id} by ${by} ended as ${video.status} (${video.error?.code ?? 'no code'}).`
      : `The video ${id} by ${by} did not end in ${VIDEO_SECONDS / 60} minutes. It was not deleted.`,
    video?.error?.hint ?? 'npm run doctor',
  );
