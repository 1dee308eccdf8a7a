/** One rule of a bucket's CORS configuration, with the meaning S3 gives it. `*` is a wildcard, at most one per origin or header. */
export interface CorsRule {
  allowed_origins: readonly string[];
  allowed_methods: readonly string[];
  /** Headers a preflight may ask for. @default none */
  allowed_headers?: readonly string[];
  /** Response headers a page may read. @default none */
  exposed_headers?: readonly string[];
  /** How long a browser may remember the preflight's answer. @default not said */
  max_age_seconds?: number;
}

export interface BucketSettings {
  /** `true`: every version is kept. `false` after `true` suspends versioning; kept versions stay. @default false */
  versioned?: boolean;
  /** @default no cross-origin access */
  cors?: readonly CorsRule[];
  /** Kept with the bucket but never acted on: nothing expires here. */
  lifecycle?: unknown;
}
