import { decodeDataUrl } from '../../functions/media/data-url.ts';
import { inspectImage } from '../../functions/media/image.ts';
import type { Issue } from '../../functions/shared/issues.ts';
import { findModel, models } from '../../functions/wan/catalogue.ts';
import { checkRequest, type VideoRequest } from '../../functions/wan/validation/request.ts';
import { createLimits } from '../../local/wan/limits.ts';
import { createSubmit } from '../../local/wan/submit.ts';
import { png, wav } from '../functions/media/support.ts';

export type OurAnswer = { ok: true; request: VideoRequest } | { ok: false; issues: Issue[] };

/**
 * What we say to a body: the validator, and for a picture within the body a look at its bytes, as the API does it.
 * The request that comes back has the picture as it is sent on: with the type that its bytes have.
 */
export function askUs(text: string, mode: 'strict' | 'tolerant'): OurAnswer {
  const checked = checkRequest(parse(text), {
    mode,
    trustedOrigins: [],
    maxInlineImageBytes: Number.POSITIVE_INFINITY,
    offeredModels: models.map(({ name }) => name),
  });
  if (!checked.ok) return checked;
  const { request } = checked;
  const url = request.input.img_url;
  if (!url.startsWith('data:')) return { ok: true, request };
  const limits = findModel(request.model).image;
  const decoded = decodeDataUrl(url, limits.max_bytes);
  const inspected = decoded.ok ? inspectImage(decoded.bytes, decoded.bytes.byteLength, limits) : decoded;
  if (!inspected.ok) {
    return {
      ok: false,
      issues: inspected.issues.map((problem) => ({ pointer: '/input/img_url', ...problem })),
    };
  }
  const img_url = url.replace(/^data:[^;]*/, `data:${inspected.content_type}`);
  return { ok: true, request: { ...request, input: { ...request.input, img_url } } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Has a good sound under the names of `sounds.example`, and a good picture under all others; what fetch itself refuses is refused. */
export const everythingIsThere: typeof fetch = async (url) => {
  const { hostname } = new URL(new Request(url).url);
  return new Response(new Uint8Array(hostname === 'sounds.example' ? sound : picture));
};
const sound = wav(5);
const picture = png(400, 400);

export const submitHeaders = { 'content-type': 'application/json', 'x-dashscope-async': 'enable' };

export interface WansAnswer {
  status: number;
  code?: string;
  message?: string;
}

/** The emulator's own submit, without its server and its disk. */
export function createEmulatedSubmit(): (text: string) => Promise<WansAnswer> {
  const submit = createSubmit({
    store: {
      save: async () => {},
      storeInput: async (_content, extension) => `input.${extension}`,
      find: () => undefined,
      all: () => [],
      timesOf: () => ({ start: 0, end: 0, overdue: false }),
      inputPath: (file) => file,
    },
    uploads: { newFolder: () => '', store: async () => false, read: async () => undefined },
    finisher: { renderAhead: () => {} },
    limits: createLimits({ enabled: false, now: Date.now }),
    fetch: everythingIsThere,
    now: Date.now,
    taskSeconds: 6,
  });
  return async (text) => {
    const path = '/api/v1/services/aigc/video-generation/video-synthesis';
    const request = {
      method: 'POST',
      path,
      query: new URLSearchParams(),
      headers: submitHeaders,
      body: Buffer.from(text),
    };
    const answer = await submit(request, 'account');
    if (answer.kind !== 'whole') throw new Error(`The submit ended with a ${answer.kind} connection.`);
    return { status: answer.status, ...(JSON.parse(String(answer.body)) as { code?: string; message?: string }) };
  };
}
