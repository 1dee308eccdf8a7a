import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  type PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { expect } from 'vitest';
import { apiHandler } from '../../../functions/api/http/handler.ts';
import type { ApiRequest } from '../../../functions/api/http/request.ts';
import { type ContentServices, getContent } from '../../../functions/api/videos/content.ts';
import { type SubmitServices, submit } from '../../../functions/api/videos/create.ts';
import { getVideo, type VideoServices } from '../../../functions/api/videos/get.ts';
import { listOwnVideos } from '../../../functions/api/videos/list.ts';
import { getUsage, type UsageServices } from '../../../functions/api/videos/usage.ts';
import type { Caller } from '../../../functions/shared/caller.ts';
import type { ArchivedVideo, VideoRecord } from '../../../functions/video/record.ts';
import type { Table } from '../../../functions/video/table.ts';
import apiRequest from '../../fixtures/events/api-request.json' with { type: 'json' };

/** A request that the API takes. */
export const body = (given: Record<string, unknown> = {}) => ({
  model: 'wan2.2-i2v-plus',
  input: { prompt: 'A cat runs', img_url: 'https://example.com/cat.png' },
  ...given,
});

/** What a stage hands to a Lambda; a body that is no text is sent as JSON. */
export function aRequest(given: {
  body?: unknown;
  headers?: Record<string, string>;
  /** Several values of a parameter as a list. */
  query?: Record<string, string | string[]>;
  id?: string;
  owner?: string;
  resource?: string;
}): ApiRequest {
  const headers = { ...apiRequest.headers, ...given.headers };
  const { owner = 'alice' } = given;
  const query = Object.entries(given.query ?? {}).map(([name, values]) => [name, [values].flat()] as const);
  return {
    ...apiRequest,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    resource: given.resource ?? '/videos',
    pathParameters: given.id === undefined ? null : { id: given.id },
    queryStringParameters: given.query
      ? Object.fromEntries(query.map(([name, values]) => [name, values.at(-1)]))
      : null,
    multiValueQueryStringParameters: given.query ? Object.fromEntries(query) : null,
    body:
      typeof given.body === 'string' || given.body === undefined ? (given.body ?? null) : JSON.stringify(given.body),
    requestContext: { ...apiRequest.requestContext, authorizer: { owner, key_id: `key of ${owner}` } },
  };
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  // Tests look into whatever came.
  // biome-ignore lint/suspicious/noExplicitAny: an answer's shape is what is tested
  body: any;
}

export const answerOf = ({ statusCode, headers, body }: APIGatewayProxyResult): Answer => ({
  status: statusCode,
  headers: (headers ?? {}) as Record<string, string>,
  body: body ? JSON.parse(body) : undefined,
});

export type StoredObjects = Map<string, { bytes: Uint8Array; content_type: string | undefined }>;

/** An S3 whose objects are a map by their keys, each written once, as the bucket is asked to. The local S3 is for tests of more. */
export function anS3(objects: StoredObjects = new Map()): Pick<S3Client, 'send'> {
  const send = async (command: GetObjectCommand | PutObjectCommand | CopyObjectCommand) => {
    const { Key = '' } = command.input;
    if (command instanceof GetObjectCommand) {
      const found = objects.get(Key);
      if (!found) throw new NoSuchKey({ message: 'There is no such object.', $metadata: {} });
      const Body = Object.assign(Readable.from([found.bytes]), { transformToByteArray: async () => found.bytes });
      return { Body, ContentLength: found.bytes.byteLength, ETag: '"e"', VersionId: 'v1' };
    }
    if (objects.has(Key)) throw new S3ServiceException({ name: 'PreconditionFailed', $fault: 'client', $metadata: {} });
    if (command instanceof CopyObjectCommand) {
      const source = /^[^/]*\/(.*)\?versionId=v1$/.exec(command.input.CopySource!)![1]!;
      objects.set(Key, objects.get(decodeURIComponent(source))!);
    } else {
      const { Body, ContentType } = command.input;
      objects.set(Key, { bytes: Body as Uint8Array, content_type: ContentType });
    }
    return { VersionId: 'v1' };
  };
  return { send } as unknown as S3Client;
}

/** The API over a table, with an S3 that is a map (write-once, as the bucket is asked to be) and a dispatch that only counts. */
export function anApi(
  table: Table,
  given: Partial<SubmitServices & ContentServices & VideoServices & UsageServices> = {},
) {
  const objects: StoredObjects = new Map();
  const dispatched: string[] = [];
  const undispatched: string[] = [];
  const surprises: unknown[] = [];
  const links: Parameters<ContentServices['linkTo']>[] = [];
  const services: SubmitServices & ContentServices & VideoServices & UsageServices = {
    table,
    trustedOrigins: [],
    uploadsBucket: 'uploads',
    s3: anS3(objects),
    dispatch: async (video: VideoRecord) => void dispatched.push(video.id),
    onDispatchError: (video) => void undispatched.push(video.id),
    linkTo: async (...asked) => {
      links.push(asked);
      const [{ bucket, key, version_id }] = asked;
      return `https://${bucket}.s3.test/${key}${version_id ? `?versionId=${version_id}` : ''}`;
    },
    sleep: () => expect.unreachable(),
    readQueuePosition: async () => undefined,
    onAccepted: () => undefined,
    recordMetric: () => undefined,
    wanRegion: 'singapore',
    monthlySpendingLimit: undefined,
    ...given,
  };
  const route =
    (respond: (of: typeof services, request: ApiRequest, caller: Caller) => Promise<APIGatewayProxyResult>) =>
    async (request: Parameters<typeof aRequest>[0] | ApiRequest): Promise<Answer> => {
      const event = 'requestContext' in request ? request : aRequest(request);
      const handle = apiHandler(
        (...received) => respond(services, ...received),
        (error) => surprises.push(error),
      );
      return answerOf(await handle(event));
    };
  return {
    objects,
    links,
    dispatched,
    undispatched,
    surprises,
    submit: route(submit),
    get: route(getVideo),
    list: route(listOwnVideos),
    content: route(getContent),
    usage: route(getUsage),
  };
}

/** What the record of a video says of its file, once it is proven. */
export const anArchivedVideo: ArchivedVideo = {
  bucket: 'firstframe-videos',
  key: 'some-id/1-1.mp4',
  version_id: 'v7',
  bytes: 12345,
  sha256: 'ab'.repeat(32),
  content_type: 'video/mp4',
  duration_seconds: 5,
  width: 640,
  height: 480,
  fps: 30,
  codecs: ['avc1'],
};

export const anOwner = () => `owner-${randomUUID()}`;

export const dataUrl = (bytes: Uint8Array, type = 'image/png') =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
