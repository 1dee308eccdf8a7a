import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { indexes } from '../functions/shared/table-schema.ts';
import { dispatchingAccess, type Foundation } from './foundation.ts';
import { settings, tableAccess, together, uploadsAccess, videosAccess } from './grants.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** API Gateway waits no longer for a function. */
const gatewayPatience = Duration.seconds(29);

/** The functions behind the routes. */
export function apiFunctions(scope: Construct, foundation: Foundation) {
  const { configuration, functions, storage } = foundation;
  return {
    authorize: new PipelineFunction(scope, 'AuthorizeFunction', {
      ...functions,
      name: 'authorize',
      description: 'Tells whose API key a request carries',
      access: tableAccess(storage.table, ['GetItem']),
      timeout: Duration.seconds(10),
    }),
    health: new PipelineFunction(scope, 'HealthFunction', {
      ...functions,
      name: 'health',
      description: 'Tells whether the service is up',
      access: tableAccess(storage.table, ['GetItem']),
      timeout: Duration.seconds(10),
    }),
    console: new PipelineFunction(scope, 'ConsoleFunction', {
      ...functions,
      name: 'console',
      description: 'Serves the page for people, which calls the other routes with the key it is given',
      access: settings({
        WAN_REGION: configuration.region,
        TRUSTED_ORIGINS: JSON.stringify(configuration.trustedOrigins),
      }),
      timeout: Duration.seconds(10),
    }),
    submit: new PipelineFunction(scope, 'SubmitFunction', {
      ...functions,
      name: 'submit',
      description: 'Takes a request for a video: checks it, writes its record, dispatches',
      access: together(
        dispatchingAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        uploadsAccess(storage.uploads, ['inputs/'], ['PutObject']),
        settings({ TRUSTED_ORIGINS: JSON.stringify(configuration.trustedOrigins) }),
      ),
      timeout: gatewayPatience,
      // An inline picture of 4 MiB is decoded and inspected while its sender waits.
      memory: 1024,
    }),
    videos: new PipelineFunction(scope, 'VideosFunction', {
      ...functions,
      name: 'videos',
      description: "Answers what is asked of one video or of an owner's list",
      access: together(
        tableAccess(storage.table, ['GetItem'], indexes.byOwner.name),
        videosAccess(storage.videos, ['GetObject', 'GetObjectVersion']),
      ),
      timeout: gatewayPatience,
      memory: 512,
    }),
  };
}
