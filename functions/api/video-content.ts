import type { VideoRecord } from '../video/record.ts';
import { parseUrl } from '../wan/parse-url.ts';
import { metadataKey } from '../workflow/metadata-object.ts';
import type { FileDescription, ObjectVersion } from './content-link.ts';

/** What can be fetched of a video: the file, the picture it begins with, and the video as the API shows it, as a file beside it. */
export const variants = ['video', 'first_frame', 'metadata'] as const;
export type Variant = (typeof variants)[number];

/** Where a variant lies: in our buckets, or at an address of the caller's own. */
export type Content = { object: ObjectVersion; file: FileDescription } | { url: string };

/** Where a variant of a video lies; undefined for one that is not there yet, or never will be. */
export function contentOf(video: VideoRecord, variant: Variant): Content | undefined {
  if (variant === 'first_frame') return firstFrameOf(video);
  const { id, video: archived } = video;
  if (!archived) return undefined;
  const { bucket, key, content_type } = archived;
  return variant === 'video'
    ? { object: archived, file: { file_name: `${id}.mp4`, content_type } }
    : {
        object: { bucket, key: metadataKey(key) },
        file: { file_name: `${id}.json`, content_type: 'application/json' },
      };
}

function firstFrameOf({ id, image, source, input }: VideoRecord): Content | undefined {
  if (image) {
    const { content_type } = image;
    return { object: image, file: { file_name: `${id}.${content_type.replace(/^image\//, '')}`, content_type } };
  }
  // A drop that was refused: its image was not found good, but it is what lies there.
  if (source.type === 'drop') {
    return { object: source, file: { file_name: `${id}${/\.[a-z]+$/i.exec(source.key)?.[0] ?? ''}` } };
  }
  // In its normal form, since an address with letters beyond ASCII is none that a header can carry.
  const address = parseUrl(input.img_url);
  return address && /^https?:$/.test(address.protocol) ? { url: address.href } : undefined;
}
