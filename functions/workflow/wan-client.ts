import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { secretReader } from '../shared/secret.ts';
import { createWanClient, type WanClient } from '../wan/client.ts';

/** Wan as a Lambda is told to reach it: the key is read from the secret when it is needed. */
export const wanClientOf = (
  environment: { WAN_BASE_URL: string; WAN_SECRET_ARN: string },
  secrets: Pick<SecretsManagerClient, 'send'>,
): WanClient =>
  createWanClient({
    baseUrl: environment.WAN_BASE_URL,
    apiKey: secretReader(secrets, environment.WAN_SECRET_ARN, Date.now),
    fetch,
  });
