import type { S3Client } from '@aws-sdk/client-s3';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Caller } from '../../shared/caller.ts';
import type { Identity } from '../../submissions/identity.ts';
import type { ObjectVersion, VideoRecord } from '../../video/record.ts';
import type { Table } from '../../video/table.ts';
import type { Region } from '../../wan/regions.ts';
import type { ApiRequest } from '../http/request.ts';
import type { FileDescription } from '../videos/content.ts';

/** A request of these routes; `domainName` and `path` are the address as the client knows it. */
export type DashscopeRequest = ApiRequest &
  Pick<APIGatewayProxyEvent, 'httpMethod'> & { requestContext: { domainName?: string; path?: string } };

/** What the routes of the reference's protocol use. */
export interface DashscopeServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  /** Where the deployment's Wan is. */
  region: Region;
  uploads_bucket: string;
  /** Checks a request as tolerantly as Wan does, and makes its video. @throws Problem */
  acceptRequest: (given: { body: unknown; identity: Identity; caller: Caller }) => Promise<{ video: VideoRecord }>;
  /**
   * @param milliseconds how long Wan may take, in all
   * @throws Problem for a video that is too far to be canceled, and when Wan does not tell in time
   */
  cancelVideo: (video: VideoRecord, milliseconds: number) => Promise<VideoRecord>;
  /** A presigned URL of an object. */
  linkTo: (object: ObjectVersion, file: FileDescription) => Promise<string>;
  /** Waits so many milliseconds. */
  sleep: (milliseconds: number) => Promise<void>;
}

/** One operation: gives the members of its answer, to which the handler adds `request_id`. @throws Problem, Refusal */
export type Operation = (
  services: DashscopeServices,
  request: DashscopeRequest,
  caller: Caller,
  taskId: string,
) => Promise<object>;
