export { createS3, type S3, type S3Options } from './create-s3.ts';
export type { RecordedCall } from './handle.ts';
export type { ObjectEvent } from './object-event.ts';
export { type RunningS3, serve } from './serve.ts';
export type { BucketSettings, CorsRule } from './settings.ts';
