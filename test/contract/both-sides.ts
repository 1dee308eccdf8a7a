import type { Issue } from '../../functions/shared/issues.ts';
import { checkRequest, type VideoRequest } from '../../functions/wan/validation/request.ts';
import { createLimits } from '../../local/wan/limits.ts';
import { createSubmit } from '../../local/wan/submit.ts';
import { png, wav } from '../functions/media/support.ts';
import { everyModel } from '../support/videos.ts';

export type ClientResult = { ok: true; request: VideoRequest } | { ok: false; issues: Issue[] };

/**
 * Checks a body as the API does, inline files included. The returned request has an inline file in the form that is sent to Wan, with
 * the type of its bytes.
 */
export function checkByClient(text: string, mode: 'strict' | 'tolerant'): ClientResult {
  return checkRequest(parse(text), {
    mode,
    trustedOrigins: [],
    maxInlineBytes: Number.POSITIVE_INFINITY,
    deployment: everyModel,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Serves valid audio from `audio.example` and a valid image from every other host. Rejects what fetch itself rejects. */
export const fetchAnything: typeof fetch = async (url) => {
  const { hostname } = new URL(new Request(url).url);
  return new Response(new Uint8Array(hostname === 'audio.example' ? audio : image));
};
const audio = wav(5);
const image = png(400, 400);

export const submitHeaders = { 'content-type': 'application/json', 'x-dashscope-async': 'enable' };

export interface EmulatorResponse {
  status: number;
  code?: string;
  message?: string;
}

/** Creates the emulator's submission handler, without server and disk. */
export function createEmulatedSubmit(
  fetchFile: typeof fetch = fetchAnything,
): (text: string) => Promise<EmulatorResponse> {
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
    fetch: fetchFile,
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
    const response = await submit(request, 'account');
    if (response.kind !== 'whole') throw new Error(`The submission ended with kind ${response.kind}.`);
    return { status: response.status, ...(JSON.parse(String(response.body)) as { code?: string; message?: string }) };
  };
}
