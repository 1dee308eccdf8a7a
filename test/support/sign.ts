import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

export interface ToSign {
  method?: string;
  /** Still percent-encoded. */
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
  /** Headers that the signature does not cover. @default none */
  unsigned?: readonly string[];
}

/** A person's key on a developer's machine. */
export const personalCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** The headers of a request signed with Signature Version 4, as a caller of an API with `auth: iam` makes them: by the AWS SDK's signer. */
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
