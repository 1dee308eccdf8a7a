import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

export interface ToSign {
  method?: string;
  /** Percent-encoded. */
  path: string;
  /** Decoded. */
  query?: Record<string, string | string[]>;
  headers?: Record<string, string>;
  /** `name:port` of the API. */
  host: string;
  body?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
  service?: string;
  region?: string;
  date?: Date;
  /** Headers that the signature does not cover. @default - none */
  unsigned?: readonly string[];
}

/** The credentials of a developer on the local stack. */
export const personalCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Signs a request with Signature Version 4, by the AWS SDK's signer, as callers of an API with `auth: iam` do. @returns its headers */
export async function sign(request: ToSign): Promise<Record<string, string>> {
  const { credentials = personalCredentials, service = 'execute-api', region = 'us-east-1', host } = request;
  const client = new DynamoDBClient({ region, credentials });
  const signer = await client.config.signer({
    name: 'sigv4',
    signingName: service,
    signingRegion: region,
    properties: {},
  });
  const [hostname = '', port] = host.split(':');
  const signed = await signer.sign(
    {
      method: request.method ?? 'GET',
      protocol: 'http:',
      hostname,
      ...(port ? { port: Number(port) } : {}),
      path: request.path,
      query: request.query ?? {},
      headers: { ...request.headers, host },
      ...(request.body === undefined ? {} : { body: request.body }),
    },
    {
      signingDate: request.date ?? new Date(),
      signingService: service,
      signingRegion: region,
      unsignableHeaders: new Set(request.unsigned),
    },
  );
  client.destroy();
  return signed.headers;
}
