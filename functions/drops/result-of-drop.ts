import type { ArchivedVideo, VideoRecord } from '../video/record.ts';

/** A drop's record. */
export type Drop = VideoRecord & { source: { type: 'drop' } };

export const isDrop = (video: VideoRecord): video is Drop => video.source.type === 'drop';

/** Where a copy of the video lies beside its image. */
export interface VideoCopy {
  bucket: string;
  key: string;
}

/**
 * What became of a dropped image, as its `….result.json` tells it: in the words of `GET /videos/{id}`, without its prompt and without
 * any link, which would be dead within the hour.
 */
export function resultOfDrop(video: Drop, copy?: VideoCopy): Record<string, unknown> {
  const { id, status, created_at, timeline, model, parameters, source, warnings, cost, error } = video;
  const { bucket, key, version_id, settings, defaults_key } = source;
  const started_at = timeline.findLast((entry) => entry.status === 'submitting')?.at;
  return {
    id,
    status,
    created_at,
    ...(started_at ? { started_at } : {}),
    finished_at: timeline.at(-1)?.at,
    image: { bucket, key, ...(version_id ? { version_id } : {}) },
    ...(video.video ? { video: { ...placeAndProof(video.video), ...(copy ? { copy } : {}) } } : {}),
    model,
    parameters,
    ...(cost ? { cost } : {}),
    ...(settings ? { settings } : {}),
    ...(defaults_key ? { defaults_key } : {}),
    warnings,
    ...(error ? { error } : {}),
  };
}

/** Where an archived video lies, and by what a copy of it can be proven. */
export const placeAndProof = (video: ArchivedVideo): Partial<ArchivedVideo> => {
  const { bucket, key, version_id, bytes, sha256, content_type, duration_seconds, width, height } = video;
  return {
    bucket,
    key,
    ...(version_id ? { version_id } : {}),
    bytes,
    sha256,
    content_type,
    duration_seconds,
    width,
    height,
  };
};
