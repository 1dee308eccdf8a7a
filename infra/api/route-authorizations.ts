import { Duration } from 'aws-cdk-lib';
import { AuthorizationType, IdentitySource, RequestAuthorizer } from 'aws-cdk-lib/aws-apigateway';
import type { Construct } from 'constructs';
import type { Auth } from '../../functions/shared/environment.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import type { RouteAuthorizations } from './api-routes.ts';

/**
 * Creates the authorizations of the routes. The authorizer function checks keys and tokens. With `iam` the gateway itself checks
 * the signature and the caller's policies, and passes the caller's identity to the handlers.
 *
 * Clients of Wan's protocol upload a file with a form without headers. That route therefore has its own authorizer in every mode,
 * which accepts only a token in the query. The token allows a few files in one folder within 15 minutes. Its result is not
 * cached, so that it expires on time.
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
              // A revoked key or an expired token still works for this long.
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
