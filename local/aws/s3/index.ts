export type { RecordedCall } from './operations/call.ts';
export { createS3, type RunningS3, type S3, type S3Options, serve } from './s3.ts';
export type { BucketSettings, CorsRule, ObjectEvent } from './store/records.ts';
