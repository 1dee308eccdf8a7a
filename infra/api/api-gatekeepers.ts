import { Duration } from 'aws-cdk-lib';
import { AuthorizationType, IdentitySource, RequestAuthorizer } from 'aws-cdk-lib/aws-apigateway';
import type { Construct } from 'constructs';
import type { Auth } from '../../functions/shared/environment.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import type { RouteAuthorizations } from './api-routes.ts';

/**
 * What stands before the routes. Keys and tokens are looked at by the authorizer's function; with `iam` the gateway checks the
 * signature and the caller's policies by itself, and tells the handlers whose it is.
 *
 * Whoever uploads a file by Wan's protocol posts a form without any header, so that route has an authorizer in every mode, which
 * takes a token from the query and nothing else. The token is good for a few files in one folder within 15 minutes; it is looked up
 * anew each time, so that it ends when it says.
 */
export function routeAuthorizations(
  scope: Construct,
  authorize: PipelineFunction<'authorize'>,
  mode: Auth['mode'],
): RouteAuthorizations {
  return {
    caller:
      mode === 'iam'
        ? { authorizationType: AuthorizationType.IAM }
        : {
            authorizationType: AuthorizationType.CUSTOM,
            authorizer: new RequestAuthorizer(scope, 'Authorizer', {
              handler: authorize.live,
              identitySources: [IdentitySource.header('Authorization')],
              // A key that is revoked, or a token that expires, is still known for so long.
              resultsCacheTtl: Duration.minutes(1),
            }),
          },
    'upload token': {
      authorizationType: AuthorizationType.CUSTOM,
      authorizer: new RequestAuthorizer(scope, 'UploadAuthorizer', {
        handler: authorize.live,
        identitySources: [IdentitySource.queryString('upload_token')],
        resultsCacheTtl: Duration.seconds(0),
      }),
    },
  };
}
