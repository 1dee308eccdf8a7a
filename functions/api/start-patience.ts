import type { SFNClientConfig } from '@aws-sdk/client-sfn';

/**
 * How long a start of a workflow is waited for while a caller waits for the answer. The record stands without it: two attempts of
 * 5 s stay well within the gateway's 29.
 */
export const startPatience: SFNClientConfig = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
};
