import { Stack } from 'aws-cdk-lib';
import { EndpointType, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { acknowledge } from '../functions/acknowledge.ts';
import type { Foundation } from '../functions/foundation.ts';
import { pinLogicalId } from '../functions/logical-id.ts';
import { apiFunctions } from './api-functions.ts';
import { routeAuthorizations } from './api-gatekeepers.ts';
import { accountLogging, stageLogging } from './api-logging.ts';
import { addRoutes } from './api-routes.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import { protectStage } from './web-acl.ts';

/**
 * The HTTPS API: a regional REST API, since only its gateway responses can be shaped. Whatever the configuration says, a caller must
 * show who they are on every route but those that say the same to everybody; bodies are checked by the functions, which tell all
 * that is wrong with one at once.
 */
export class Api extends Construct {
  readonly restApi: RestApi;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const { configuration, functions } = foundation;

    const account = accountLogging(this);
    this.restApi = new RestApi(this, 'RestApi', {
      // A label: two APIs may have the same.
      restApiName: Stack.of(this).stackName,
      description: 'A picture and a prompt become a video',
      endpointTypes: [EndpointType.REGIONAL],
      // A file within a form: handed on as text it would arrive broken.
      binaryMediaTypes: ['multipart/form-data'],
      cloudWatchRole: false,
      deployOptions: {
        stageName: 'v1',
        throttlingRateLimit: configuration.apiThrottle.rate,
        throttlingBurstLimit: configuration.apiThrottle.burst,
        ...stageLogging(this, functions.logRetention),
      },
    });
    // Its id is part of the address that every caller has.
    pinLogicalId(this.restApi, 'RestApi');
    this.restApi.node.tryRemoveChild('Endpoint'); // An output of its own; the stack has one with a better name.
    this.restApi.deploymentStage.node.addDependency(account);
    addGatewayResponses(this.restApi, configuration);

    const steps = apiFunctions(this, foundation);
    addRoutes(this.restApi, steps, routeAuthorizations(this, steps.authorize, configuration.auth.mode));
    acknowledge(
      this.restApi,
      'COG4',
      "Callers are programs with API keys of this service, tokens of the operator's own identity provider, or AWS credentials, whichever the deployment says. A Lambda authorizer or IAM checks them; a user pool would be a fourth way.",
    );
    protectStage(this, this.restApi.deploymentStage, configuration.waf);
  }
}
