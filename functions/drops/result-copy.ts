import { CopyObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { ArchivedVideo } from '../video/record.ts';
import type { Drop, VideoCopy } from './result-of-drop.ts';
import { isPossibleKey, originLabels, writeBeside } from './result-place.ts';

/** The label that names the archived file that a copy was made of. */
const archivedLabel = 'archived-as';

/**
 * Copies a drop's video beside its image, as `<key>.mp4`, within S3 and once: one CopyObject takes up to 5 GB, which no video of
 * Wan's comes near.
 * @returns where the copy lies; undefined when there is nothing to copy any more, or the copy of a later version of the image lies there
 */
export async function copyBeside(s3: Pick<S3Client, 'send'>, video: Drop): Promise<VideoCopy | undefined> {
  const { source, video: archived } = video;
  const key = `${source.key}.mp4`;
  if (!archived || !isPossibleKey(key)) return undefined;
  const label = archivedAs(archived);
  const outcome = await writeBeside(s3, key, source, async ({ condition, standing }) => {
    if (standing?.[archivedLabel] === label) return;
    await s3.send(
      new CopyObjectCommand({
        Bucket: source.bucket,
        Key: key,
        CopySource: copySource(archived),
        MetadataDirective: 'REPLACE',
        TaggingDirective: 'REPLACE',
        ContentType: archived.content_type,
        Metadata: { ...originLabels(source), [archivedLabel]: label },
        ...condition,
      }),
    );
  }).catch(unlessGone);
  return outcome === 'written' ? { bucket: source.bucket, key } : undefined;
}

const archivedAs = ({ key, version_id = '' }: ArchivedVideo): string => `${key}#${version_id}`;

const copySource = ({ bucket, key, version_id }: ArchivedVideo): string =>
  `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}${version_id ? `?versionId=${encodeURIComponent(version_id)}` : ''}`;

/** Somebody deleted the archived file: its place is still told. */
function unlessGone(error: unknown): undefined {
  if (error instanceof S3ServiceException && ['NoSuchKey', 'NoSuchVersion'].includes(error.name)) return undefined;
  throw error;
}
