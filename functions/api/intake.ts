import type { S3Client } from '@aws-sdk/client-s3';
import type { Measure } from '../shared/measure.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Region } from '../wan/regions.ts';
import type { Dispatcher } from '../workflow/dispatch.ts';
import { dispatchOne } from '../workflow/dispatch-one.ts';
import type { MediaStore } from './keep-media.ts';
import { storeImage } from './store-image.ts';
import type { IntakeServices } from './take-request.ts';
import { checkUploadedImage, checkUploadedSound, copyUpload } from './uploaded-media.ts';

/** The media of requests, in the uploads bucket. */
export const mediaStoreOf = (s3: Pick<S3Client, 'send'>, bucket: string): MediaStore => ({
  storeImage: (id, image) => storeImage(s3, bucket, id, image),
  checkImage: (url, limits) => checkUploadedImage(s3, url, limits),
  checkSound: (url) => checkUploadedSound(s3, url),
  copyUpload: (upload, id) => copyUpload(s3, upload, id),
});

/** What taking requests takes, from what a Lambda is told. */
export function intakeOf(
  environment: {
    TRUSTED_ORIGINS: readonly string[];
    UPLOADS_BUCKET: string;
    WAN_REGION: Region;
    MONTHLY_SPENDING_LIMIT?: number | undefined;
  },
  dispatcher: Dispatcher,
  s3: Pick<S3Client, 'send'>,
  { measure, logUndispatched }: { measure: Measure; logUndispatched: (video: VideoRecord, error: unknown) => void },
): IntakeServices {
  return {
    table: dispatcher.table,
    media: mediaStoreOf(s3, environment.UPLOADS_BUCKET),
    trustedOrigins: environment.TRUSTED_ORIGINS,
    uploadsBucket: environment.UPLOADS_BUCKET,
    wanRegion: environment.WAN_REGION,
    monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
    measure,
    dispatch: dispatchOne(dispatcher),
    logUndispatched,
  };
}
