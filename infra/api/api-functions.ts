import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { RouteMethods } from '../../functions/api/http/methods.ts';
import { indexes } from '../../functions/shared/table-schema.ts';
import {
  acceptAccess,
  deleteAccess,
  dispatchAccess,
  type Foundation,
  imageRules,
  longPollLimits,
  loopbackWebhooks,
  modelSettings,
  requestRate,
  requestSettings,
  resultWriterAccess,
  sourceAccess,
  spendingLimit,
  taskSeconds,
  videoRetention,
} from '../functions/foundation.ts';
import {
  catalogueAccess,
  fileLinkAccess,
  limiterAccess,
  listAccess,
  mergeAccess,
  settings,
  tableAccess,
  uploadsAccess,
  versionsAccess,
  videosAccess,
  wanAccess,
  webhookQueueAccess,
  webhookSecretAccess,
} from '../functions/grants.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';

/** The integration timeout of API Gateway. */
const gatewayTimeout = Duration.seconds(29);
/** For functions that normally take milliseconds. */
const shortTimeout = Duration.seconds(10);

/** Reads the object version that a record names. */
const readActions = ['GetObject', 'GetObjectVersion'] as const;

/** Creates the functions of the routes, and the authorizer. @param routeMethods the methods of each path, for `Allow` */
export function apiFunctions(scope: Construct, foundation: Foundation, routeMethods: RouteMethods) {
  const { configuration, functions, storage, wanSecret, fileLinkSecret } = foundation;
  const { auth, trustedOrigins, apiConcurrency } = configuration;
  const common = { ...functions, timeout: gatewayTimeout };
  const cors = settings({ CORS: JSON.stringify(configuration.cors) });

  return {
    authorize: new PipelineFunction(scope, 'authorize', {
      ...common,
      description: 'Authenticates a request by its API key, token or upload token',
      access: mergeAccess(
        tableAccess(storage.table, ['GetItem']),
        settings({ AUTH: JSON.stringify(auth), TRUSTED_ORIGINS: JSON.stringify(trustedOrigins) }),
      ),
      timeout: shortTimeout,
    }),
    health: new PipelineFunction(scope, 'health', {
      ...common,
      description: 'Reports whether the service is up',
      access: mergeAccess(cors, tableAccess(storage.table, ['GetItem'])),
      timeout: shortTimeout,
    }),
    // A page in a browser has no AWS credentials to sign its calls with, so IAM authorization excludes the console.
    console:
      auth.mode === 'iam'
        ? undefined
        : new PipelineFunction(scope, 'console', {
            ...common,
            description: 'Serves the web console, which calls the other routes with the API key that its user enters',
            access: requestSettings(configuration),
            timeout: shortTimeout,
          }),
    contract: new PipelineFunction(scope, 'contract', {
      ...common,
      description: 'Serves the OpenAPI document and its page, and answers OPTIONS and unknown methods',
      access: mergeAccess(cors, settings({ ROUTE_METHODS: JSON.stringify(routeMethods) })),
      timeout: shortTimeout,
    }),
    catalogue: new PipelineFunction(scope, 'catalogue', {
      ...common,
      description: 'Lists the models and estimates the cost of a request',
      // An estimate recognizes an upload by its URL and fetches nothing.
      access: mergeAccess(
        cors,
        catalogueAccess(storage.table),
        settings({ UPLOADS_BUCKET: storage.uploads.bucketName }),
        limiterAccess(storage.table, ['GetItem', 'UpdateItem']),
        requestRate(configuration),
        requestSettings(configuration),
        imageRules(configuration),
        taskSeconds(configuration),
        loopbackWebhooks(configuration),
      ),
      // Inspects inline images like a submission.
      memory: 1024,
    }),
    uploads: new PipelineFunction(scope, 'uploads', {
      ...common,
      description: 'Signs forms with which callers upload images and audio directly to S3',
      // A signed form has the permissions of its signer.
      access: mergeAccess(
        cors,
        uploadsAccess(storage.uploads, ['uploads/'], ['PutObject']),
        limiterAccess(storage.table, ['GetItem', 'UpdateItem']),
        requestRate(configuration),
      ),
      timeout: shortTimeout,
    }),
    submit: new PipelineFunction(scope, 'submit', {
      ...common,
      description:
        'Accepts a request for a video, also one derived from another: validates it, writes its record, dispatches it',
      access: mergeAccess(
        cors,
        acceptAccess(foundation),
        sourceAccess(foundation),
        taskSeconds(configuration),
        requestRate(configuration),
        longPollLimits(configuration),
      ),
      // Decodes and inspects an inline image of up to 4 MiB while the caller waits.
      memory: 1024,
      concurrency: apiConcurrency,
    }),
    videos: new PipelineFunction(scope, 'videos', {
      ...common,
      description: "Returns a video, an owner's list of videos, or an owner's usage",
      access: mergeAccess(
        cors,
        // A queued video's position is read from its model queue.
        tableAccess(storage.table, ['GetItem'], indexes.byOwner.name, indexes.byStatus.name),
        limiterAccess(storage.table, ['UpdateItem']),
        requestRate(configuration),
        longPollLimits(configuration),
        modelSettings(configuration),
        taskSeconds(configuration),
        videosAccess(storage.videos, readActions),
        // Stored first frames are returned by presigned URL, like videos.
        uploadsAccess(storage.uploads, ['inputs/', 'drop/'], readActions),
        // To distinguish a file that is gone from one without read permission.
        listAccess(storage.videos),
        versionsAccess(storage.videos),
        listAccess(storage.uploads),
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
        cors,
        dispatchAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        deleteAccess(foundation),
        spendingLimit(configuration),
        taskSeconds(configuration),
        requestRate(configuration),
        resultWriterAccess(foundation),
        videoRetention(configuration),
      ),
      memory: 512,
    }),
    webhooks: new PipelineFunction(scope, 'webhooks', {
      ...common,
      description: "Manages an owner's webhook and its secret, and shows and repeats deliveries",
      access: mergeAccess(
        cors,
        tableAccess(storage.table, ['GetItem', 'UpdateItem']),
        webhookQueueAccess(foundation.webhookQueue),
        webhookSecretAccess(foundation.webhookSecret),
        loopbackWebhooks(configuration),
        requestRate(configuration),
      ),
    }),
    dashscope: new PipelineFunction(scope, 'dashscope', {
      ...common,
      description: "Serves Wan's own protocol for the same videos",
      access: mergeAccess(
        cors,
        acceptAccess(foundation),
        uploadsAccess(storage.uploads, ['uploads/'], ['PutObject']),
        tableAccess(storage.table, ['GetItem'], indexes.byOwner.name),
        videosAccess(storage.videos, readActions),
        fileLinkAccess(fileLinkSecret),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        requestRate(configuration),
        longPollLimits(configuration),
        resultWriterAccess(foundation),
        videoRetention(configuration),
      ),
      memory: 1024,
    }),
  };
}

export type ApiFunctions = ReturnType<typeof apiFunctions>;
