import { checkAudio } from './audio.ts';
import { type ApiError, apiError, type Checked } from './errors.ts';
import { checkImage } from './image.ts';
import { loadMedia, type MediaSource } from './media.ts';
import type { MediaEntry } from './media-list.ts';
import {
  type LengthLimits,
  type MediaKind,
  type Model,
  maximumAudioBytes,
  maximumDocumentBytes,
  maximumSecondsInAndOut,
  maximumVideoBytes,
  mediaKinds,
} from './models.ts';
import type { Store } from './store.ts';
import type { TaskMedia } from './task.ts';
import { checkVideo } from './video.ts';

type Described = Omit<TaskMedia, 'type' | 'file'>;

/** Loads, checks and stores the files of a request, in the order of its media. A link is not loaded. */
export async function storeInputs(
  media: readonly MediaEntry[],
  model: Model,
  store: Pick<Store, 'storeInput'>,
  source: MediaSource,
): Promise<Checked<readonly TaskMedia[]>> {
  const stored: TaskMedia[] = [];
  for (const { type, url } of media) {
    const kind = mediaKinds[type];
    if (kind === 'link') continue;
    const loaded = await loadMedia(url, kind, maximumBytesOf(kind, model), source);
    if ('error' in loaded) return loaded;
    const { bytes, declaredType } = loaded.value;
    const checked = checkFile(kind, bytes, model, declaredType);
    if ('error' in checked) return checked;
    stored.push({ type, file: await store.storeInput(bytes, checked.value.format), ...checked.value });
  }
  const error = checkTotal('video', stored, model.videoFile) ?? checkTotal('audio', stored, model.audioFile);
  return error ? { error } : { value: stored };
}

/** Checks what a duration and the length of the input videos allow together. */
export function checkLengths(media: readonly TaskMedia[], duration: number, model: Model): ApiError | undefined {
  const seconds = inputSeconds(media);
  const clip = media.find(({ type }) => type === 'first_clip');
  if (clip && duration <= (clip.seconds ?? 0))
    return apiError(
      'InvalidParameter',
      `parameters.duration ${duration} is the total, and must exceed the ${seconds.toFixed(1)} s of first_clip`,
    );
  if (model.inputs === 'wan3.0 media' && seconds + duration > maximumSecondsInAndOut)
    return apiError(
      'InvalidParameter',
      `input video and output have ${(seconds + duration).toFixed(1)} s together, at most ${maximumSecondsInAndOut}`,
    );
  return undefined;
}

/** Seconds of input video, which are billed. */
export function inputSeconds(media: readonly TaskMedia[]): number {
  return secondsOf('video', media);
}

function secondsOf(kind: MediaKind, media: readonly TaskMedia[]): number {
  return media.reduce((sum, { type, seconds = 0 }) => sum + (mediaKinds[type] === kind ? seconds : 0), 0);
}

function maximumBytesOf(kind: Exclude<MediaKind, 'link'>, model: Model): number {
  const others = { audio: maximumAudioBytes, video: maximumVideoBytes, file: maximumDocumentBytes };
  return kind === 'image' ? model.image.maximumBytes : others[kind];
}

function checkFile(
  kind: Exclude<MediaKind, 'link'>,
  bytes: Uint8Array,
  model: Model,
  declaredType: string | undefined,
): Checked<Described> {
  switch (kind) {
    case 'image':
      return checkImage(bytes, model.image, declaredType);
    case 'audio':
      return model.audioFile ? checkAudio(bytes, model.audioFile) : unsupported(kind, model);
    case 'video':
      return model.videoFile ? checkVideo(bytes, model.videoFile) : unsupported(kind, model);
    case 'file':
      return bytes.length > 0 && bytes.length <= maximumDocumentBytes
        ? { value: { format: 'bin' } }
        : { error: apiError('InvalidURL', 'Invalid URL provided in your request: the file is empty or over 100 MB.') };
  }
}

function unsupported(kind: MediaKind, { name }: Model): { error: ApiError } {
  return { error: apiError('InvalidParameter', `${name} takes no ${kind} files`) };
}

function checkTotal(
  kind: 'audio' | 'video',
  media: readonly TaskMedia[],
  limits: LengthLimits | undefined,
): ApiError | undefined {
  const [seconds, maximum] = [secondsOf(kind, media), limits?.maximumTotal ?? Number.POSITIVE_INFINITY];
  // Each file may exceed its length a little, by the padding of its encoder.
  if (seconds <= maximum + 0.2) return undefined;
  return apiError(
    'InvalidURL',
    `Invalid URL provided in your request: the ${kind} files are ${seconds.toFixed(1)} s long together, at most ${maximum} s.`,
  );
}
