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
import { aDeployment } from '../../support/videos.ts';

/** A valid request body. */
export const body = (overrides: Record<string, unknown> = {}) => ({
  model: 'wan2.2-i2v-plus',
  input: { prompt: 'A cat runs', img_url: 'https://example.com/cat.png' },
  ...overrides,
});

/** The event of API Gateway. A body that is not a string is sent as JSON. */
export function aRequest(options: {
  body?: unknown;
  headers?: Record<string, string>;
  /** A list repeats the parameter. */
  query?: Record<string, string | string[]>;
  id?: string;
  owner?: string;
  resource?: string;
}): ApiRequest {
  const given = Object.keys(options.headers ?? {}).map((name) => name.toLowerCase());
  const usual = Object.entries(apiRequest.headers).filter(([name]) => !given.includes(name.toLowerCase()));
  const headers: Record<string, string> = { ...Object.fromEntries(usual), ...options.headers };
  const { owner = 'alice' } = options;
  const query = Object.entries(options.query ?? {}).map(([name, values]) => [name, [values].flat()] as const);
  return {
    ...apiRequest,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    resource: options.resource ?? '/videos',
    pathParameters: options.id === undefined ? null : { id: options.id },
    queryStringParameters: options.query
      ? Object.fromEntries(query.map(([name, values]) => [name, values.at(-1)]))
      : null,
    multiValueQueryStringParameters: options.query ? Object.fromEntries(query) : null,
    body:
      typeof options.body === 'string' || options.body === undefined
        ? (options.body ?? null)
        : JSON.stringify(options.body),
    requestContext: { ...apiRequest.requestContext, authorizer: { owner, key_id: `key of ${owner}` } },
  };
}

export interface ApiResponse {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect responses of any shape
  body: any;
}

export const responseOf = ({ statusCode, headers, body }: APIGatewayProxyResult): ApiResponse => ({
  status: statusCode,
  headers: (headers ?? {}) as Record<string, string>,
  body: body ? JSON.parse(body) : undefined,
});

export type StoredObjects = Map<string, { bytes: Uint8Array; content_type: string | undefined }>;

/** An S3 stub for conditional writes, copies and reads. Tests that need more use the local S3. */
export function anS3(objects: StoredObjects = new Map()): Pick<S3Client, 'send'> {
  const send = async (command: GetObjectCommand | PutObjectCommand | CopyObjectCommand) => {
    const { Key = '' } = command.input;
    if (command instanceof GetObjectCommand) {
      const found = objects.get(Key);
      if (!found) throw new NoSuchKey({ message: 'The object does not exist.', $metadata: {} });
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

/** The API over a table, with the S3 stub and a dispatch that only records ids. */
export function anApi(
  table: Table,
  overrides: Partial<SubmitServices & ContentServices & VideoServices & UsageServices> = {},
) {
  const objects: StoredObjects = new Map();
  const dispatched: string[] = [];
  const undispatched: string[] = [];
  const unexpectedErrors: unknown[] = [];
  const links: Parameters<ContentServices['linkTo']>[] = [];
  const services: SubmitServices & ContentServices & VideoServices & UsageServices = {
    table,
    trustedOrigins: [],
    uploadsBucket: 'uploads',
    s3: anS3(objects),
    dispatch: async (video: VideoRecord) => void dispatched.push(video.id),
    onDispatchError: (video) => void undispatched.push(video.id),
    exists: async () => true,
    linkTo: async (...args) => {
      links.push(args);
      const [{ bucket, key, version_id }] = args;
      return `https://${bucket}.s3.test/${key}${version_id ? `?versionId=${version_id}` : ''}`;
    },
    sleep: () => expect.unreachable(),
    longPolls: { per_owner: 10, total: 50 },
    readQueuePosition: async () => undefined,
    onAccepted: () => undefined,
    recordMetric: () => undefined,
    wanRegion: 'singapore',
    deployment: aDeployment(),
    monthlySpendingLimit: undefined,
    ...overrides,
  };
  const route =
    (action: (of: typeof services, request: ApiRequest, caller: Caller) => Promise<APIGatewayProxyResult>) =>
    async (request: Parameters<typeof aRequest>[0] | ApiRequest): Promise<ApiResponse> => {
      const event = 'requestContext' in request ? request : aRequest(request);
      const handle = apiHandler(
        (...args) => action(services, ...args),
        (error) => unexpectedErrors.push(error),
      );
      return responseOf(await handle(event));
    };
  return {
    objects,
    links,
    dispatched,
    undispatched,
    unexpectedErrors,
    submit: route(submit),
    get: route(getVideo),
    list: route(listOwnVideos),
    content: route(getContent),
    usage: route(getUsage),
  };
}

/** The verified file of a succeeded video. */
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
  provenance: { c2pa: false, aigc_label: false, watermark: false },
};

export const anOwner = () => `owner-${randomUUID()}`;

export const dataUrl = (bytes: Uint8Array, type = 'image/png') =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
