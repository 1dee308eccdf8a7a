import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { indexes } from '../../functions/shared/table-schema.ts';
import {
  deletingAccess,
  dispatchingAccess,
  type Foundation,
  requestSettings,
  spendingLimit,
  takingAccess,
  taskSeconds,
  tellingAccess,
} from '../functions/foundation.ts';
import { settings, tableAccess, together, uploadsAccess, videosAccess, wanAccess } from '../functions/grants.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';

/** API Gateway waits no longer for a function. */
const gatewayPatience = Duration.seconds(29);
/** For what takes milliseconds when all is well. */
const brief = Duration.seconds(10);

/** Reading a stored object's version, the one that a record names. */
const reading = ['GetObject', 'GetObjectVersion'] as const;

/** The functions behind the routes, and the one before them. */
export function apiFunctions(scope: Construct, foundation: Foundation) {
  const { configuration, functions, storage, wanSecret } = foundation;
  const { auth, trustedOrigins, apiConcurrency } = configuration;
  const common = { ...functions, timeout: gatewayPatience };

  return {
    authorize: new PipelineFunction(scope, 'authorize', {
      ...common,
      description: 'Tells whose API key, token or upload token a request carries',
      access: together(
        tableAccess(storage.table, ['GetItem']),
        settings({ AUTH: JSON.stringify(auth), TRUSTED_ORIGINS: JSON.stringify(trustedOrigins) }),
      ),
      timeout: brief,
    }),
    health: new PipelineFunction(scope, 'health', {
      ...common,
      description: 'Tells whether the service is up',
      access: tableAccess(storage.table, ['GetItem']),
      timeout: brief,
    }),
    // A page in a browser has no AWS credentials to sign its calls with, so where all must be signed there is none.
    console:
      auth.mode === 'iam'
        ? undefined
        : new PipelineFunction(scope, 'console', {
            ...common,
            description: 'Serves the page for people, which calls the other routes with the key it is given',
            access: requestSettings(configuration),
            timeout: brief,
          }),
    contract: new PipelineFunction(scope, 'contract', {
      ...common,
      description: 'Serves the description of the API and the page that shows it',
      access: settings({}),
      timeout: brief,
    }),
    catalogue: new PipelineFunction(scope, 'catalogue', {
      ...common,
      description: 'Tells which models there are, and what a request would cost',
      // An upload is known by its address alone: an estimate fetches nothing.
      access: together(
        settings({ UPLOADS_BUCKET: storage.uploads.bucketName }),
        requestSettings(configuration),
        taskSeconds(configuration),
      ),
      // An inline picture is inspected as a submission's is.
      memory: 1024,
    }),
    uploads: new PipelineFunction(scope, 'uploads', {
      ...common,
      description: 'Signs forms by which callers upload pictures and sounds straight to S3',
      // What a signed form may do is what its signer may.
      access: uploadsAccess(storage.uploads, ['uploads/'], ['PutObject']),
      timeout: brief,
    }),
    submit: new PipelineFunction(scope, 'submit', {
      ...common,
      description: 'Takes a request for a video: checks it, writes its record, dispatches',
      access: together(takingAccess(foundation), taskSeconds(configuration)),
      // An inline picture of 4 MiB is decoded and inspected while its sender waits.
      memory: 1024,
      concurrency: apiConcurrency,
    }),
    videos: new PipelineFunction(scope, 'videos', {
      ...common,
      description: "Answers what is asked of one video, of an owner's list, or of what an owner spent",
      access: together(
        // A queued video's place in its lane is read from the queue.
        tableAccess(storage.table, ['GetItem'], indexes.byOwner.name, indexes.byStatus.name),
        settings({ LANE_LIMITS: JSON.stringify(configuration.laneLimits) }),
        taskSeconds(configuration),
        videosAccess(storage.videos, reading),
        // First frames that firstframe holds are handed out like videos, by a link.
        uploadsAccess(storage.uploads, ['inputs/', 'drop/'], reading),
        settings({ WAN_REGION: configuration.region }),
        spendingLimit(configuration),
      ),
      memory: 512,
      concurrency: apiConcurrency,
    }),
    actions: new PipelineFunction(scope, 'actions', {
      ...common,
      description: 'Cancels, retries and deletes videos',
      access: together(
        dispatchingAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        deletingAccess(foundation),
        spendingLimit(configuration),
        taskSeconds(configuration),
        tellingAccess(foundation),
      ),
      memory: 512,
    }),
    dashscope: new PipelineFunction(scope, 'dashscope', {
      ...common,
      description: "Speaks Wan's own protocol over the same videos",
      access: together(
        takingAccess(foundation),
        uploadsAccess(storage.uploads, ['uploads/'], ['PutObject']),
        tableAccess(storage.table, ['GetItem'], indexes.byOwner.name),
        videosAccess(storage.videos, reading),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        tellingAccess(foundation),
      ),
      memory: 1024,
    }),
  };
}

export type ApiFunctions = ReturnType<typeof apiFunctions>;
