import { randomUUID } from 'node:crypto';
import { createUploadToken } from '../../../functions/api/auth/upload-token.ts';
import type { RotatedImages } from '../../../functions/media/image.ts';
import { readVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { fileOf } from '../../support/videos.ts';
import { aDashscope } from '../api/dashscope/support.ts';
import { anApi, dataUrl } from '../api/support.ts';
import { aDropFolder } from '../drops/support.ts';

/** The record of the video of an image that was sent, or the reason why it was refused. */
export interface SentImage {
  image?: unknown;
  warnings: string[];
  error?: string;
}

/** Sends one image in each of the ways there are. */
export type ImageWays = Readonly<Record<string, (bytes: Uint8Array) => Promise<SentImage>>>;

const model = 'wan2.2-i2v-plus';

/** The four ways over one table. */
export function imageWays(table: Table, rotatedImages: RotatedImages = 'accept'): ImageWays {
  const api = anApi(table, { rotatedImages });
  const dashscope = aDashscope(table, { rotatedImages });
  const drops = aDropFolder(table, { rotatedImages });

  async function sentAs(answer: { status: number; body: { id?: string; output?: { task_id: string } } }) {
    const id = answer.body.id ?? answer.body.output?.task_id;
    return id === undefined ? { warnings: [], error: JSON.stringify(answer.body) } : recordOf(id);
  }

  async function recordOf(id: string): Promise<SentImage> {
    const video = (await readVideo(table, id))!;
    const { warnings, error } = video;
    const image = fileOf(video);
    return {
      image: image && { width: image.width!, height: image.height!, bytes: image.bytes },
      warnings: warnings.map(({ pointer, code }) => `${pointer} ${code}`),
      ...(error ? { error: JSON.stringify(error) } : {}),
    };
  }

  const create = (img_url: string) => api.submit({ body: { model, input: { prompt: 'A cat runs', img_url } } });

  return {
    'a data: URL': async (bytes) => sentAs(await create(dataUrl(bytes, 'application/octet-stream'))),
    async 'an upload'(bytes) {
      const key = `uploads/alice/${randomUUID()}/image`;
      api.objects.set(key, { bytes, content_type: 'image/png' });
      return sentAs(await create(`s3://uploads/${key}`));
    },
    async 'an upload by DashScope'(bytes) {
      const upload_id = randomUUID();
      const { token } = await createUploadToken(table, { owner: 'alice', key_id: 'k' }, { upload_id });
      const form = new FormData();
      form.set('key', `firstframe/${upload_id}/image`);
      form.set('file', new Blob([new Uint8Array(bytes)]), 'image');
      const encoded = new Response(form);
      const received = await dashscope.call({
        method: 'POST',
        path: `uploads?${new URLSearchParams({ upload_token: token })}`,
        headers: { 'content-type': encoded.headers.get('content-type')! },
        body: new Uint8Array(await encoded.arrayBuffer()),
        upload_id,
      });
      if (received.status !== 200) return { warnings: [], error: JSON.stringify(received.body) };
      const created = await dashscope.call({
        method: 'POST',
        path: 'services/aigc/video-generation/video-synthesis',
        headers: { 'X-DashScope-Async': 'enable', 'X-DashScope-OssResourceResolve': 'enable' },
        body: { model, input: { prompt: 'A cat runs', img_url: `oss://firstframe/${upload_id}/image` } },
      });
      return sentAs(created);
    },
    async 'a drop'(bytes) {
      const video = await drops.taken(`drop/${randomUUID()}.png`, bytes, { prompt: 'A cat runs' });
      return video ? recordOf(video.id) : { warnings: [], error: 'no video' };
    },
  };
}
