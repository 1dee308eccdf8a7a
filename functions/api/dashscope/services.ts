import type { S3Client } from '@aws-sdk/client-s3';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { AdmitRequest } from '../../queue/rate-limiter.ts';
import type { Caller } from '../../shared/caller.ts';
import type { Identity } from '../../submissions/identity.ts';
import type { ObjectVersion, VideoRecord } from '../../video/record.ts';
import type { Deployment } from '../../wan/prices.ts';
import type { ApiRequest } from '../http/request.ts';
import type { FileDescription } from '../videos/content.ts';
import type { LongPollServices } from '../videos/long-poll.ts';

/** A request of these routes; `domainName` and `path` form the URL as the client sees it. */
export type DashscopeRequest = ApiRequest &
  Pick<APIGatewayProxyEvent, 'httpMethod'> & { requestContext: { domainName?: string; path?: string } };

/** What the routes of the reference's protocol use. */
export interface DashscopeServices extends LongPollServices {
  admitRequest: AdmitRequest;
  s3: Pick<S3Client, 'send'>;
  deployment: Deployment;
  uploads_bucket: string;
  /** Validates a request as tolerantly as Wan does, and creates its video. @throws ProblemError */
  acceptRequest: (submission: {
    body: unknown;
    identity: Identity;
    caller: Caller;
    request_id: string | undefined;
  }) => Promise<{ video: VideoRecord }>;
  /**
   * @param milliseconds how long Wan's responses may take in total
   * @throws ProblemError when it is too late to cancel, or Wan does not respond in time
   */
  cancelVideo: (video: VideoRecord, milliseconds: number) => Promise<VideoRecord>;
  /** A presigned URL of an object. @param method @default GET */
  linkTo: (object: ObjectVersion, file: FileDescription, method?: 'GET' | 'HEAD') => Promise<string>;
  /** The key that signs links to files. */
  fileKey: () => Promise<string>;
}

/** One operation. It returns the members of its response, to which the handler adds `request_id`. @throws ProblemError, DashscopeError */
export type Operation = (
  services: DashscopeServices,
  request: DashscopeRequest,
  caller: Caller,
  taskId: string,
) => Promise<object>;
