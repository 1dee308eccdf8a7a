import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { indexes } from '../../functions/shared/table-schema.ts';
import {
  acceptAccess,
  deleteAccess,
  dispatchAccess,
  type Foundation,
  requestSettings,
  resultWriterAccess,
  spendingLimit,
  taskSeconds,
} from '../functions/foundation.ts';
import { mergeAccess, settings, tableAccess, uploadsAccess, videosAccess, wanAccess } from '../functions/grants.ts';
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
      access: mergeAccess(
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
            access: mergeAccess(requestSettings(configuration), settings({ WAN_BASE_URL: configuration.wanBaseUrl })),
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
      access: mergeAccess(
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
      access: mergeAccess(acceptAccess(foundation), taskSeconds(configuration)),
      // An inline picture of 4 MiB is decoded and inspected while its sender waits.
      memory: 1024,
      concurrency: apiConcurrency,
    }),
    videos: new PipelineFunction(scope, 'videos', {
      ...common,
      description: "Answers what is asked of one video, of an owner's list, or of what an owner spent",
      access: mergeAccess(
        // A queued video's place in its lane is read from the queue.
        tableAccess(storage.table, ['GetItem'], indexes.byOwner.name, indexes.byStatus.name),
        settings({ LIMIT_SETTINGS: JSON.stringify(configuration.limitSettings) }),
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
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        deleteAccess(foundation),
        spendingLimit(configuration),
        taskSeconds(configuration),
        resultWriterAccess(foundation),
      ),
      memory: 512,
    }),
    dashscope: new PipelineFunction(scope, 'dashscope', {
      ...common,
      description: "Speaks Wan's own protocol over the same videos",
      access: mergeAccess(
        acceptAccess(foundation),
        uploadsAccess(storage.uploads, ['uploads/'], ['PutObject']),
        tableAccess(storage.table, ['GetItem'], indexes.byOwner.name),
        videosAccess(storage.videos, reading),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        resultWriterAccess(foundation),
      ),
      memory: 1024,
    }),
  };
}

export type ApiFunctions = ReturnType<typeof apiFunctions>;
