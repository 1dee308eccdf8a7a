import { Size, Stack } from 'aws-cdk-lib';
import { EndpointType, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { acknowledge, justify } from '../functions/acknowledge.ts';
import type { Foundation } from '../functions/foundation.ts';
import { pinLogicalId } from '../functions/logical-id.ts';
import { type ApiFunctions, apiFunctions } from './api-functions.ts';
import { accountLogging, executionLog, stageLogging } from './api-logging.ts';
import { addRoutes, routeMethods } from './api-routes.ts';
import { type ApiDomain, addDomain } from './domain.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import { routeAuthorizations } from './route-authorizations.ts';
import { protectStage } from './web-acl.ts';

const stageName = 'v1';

/**
 * The HTTPS API: a regional REST API, since only REST APIs have customizable gateway responses. In every configuration, callers
 * must authenticate on all routes except those that return the same to everyone. The functions validate bodies, so that a
 * response lists all issues of a body.
 */
export class Api extends Construct {
  readonly restApi: RestApi;
  /** The operator's domain name, if there is one. */
  readonly domain: ApiDomain | undefined;
  readonly functions: ApiFunctions;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const { configuration, functions } = foundation;

    const account = accountLogging(this);
    this.restApi = new RestApi(this, 'RestApi', {
      // A dimension of the API's metrics.
      restApiName: Stack.of(this).stackName,
      description: 'Turns an image and a prompt into a video',
      endpointTypes: [EndpointType.REGIONAL],
      // Passed on as text, a file in a form would be corrupted.
      binaryMediaTypes: ['multipart/form-data'],
      // Clients that send Accept-Encoding receive gzip or deflate. Smaller bodies fit into one packet.
      minCompressionSize: Size.kibibytes(1),
      cloudWatchRole: false,
      deployOptions: {
        stageName,
        throttlingRateLimit: configuration.apiThrottle.rate,
        throttlingBurstLimit: configuration.apiThrottle.burst,
        ...stageLogging(this, functions.logRetention),
      },
    });
    // Its id is part of the URL that every caller uses.
    pinLogicalId(this.restApi, 'RestApi');
    this.restApi.node.tryRemoveChild('Endpoint'); // The CDK's own output. The stack's has a better name.
    const errors = executionLog(this, this.restApi, stageName, functions.logRetention);
    this.restApi.deploymentStage.node.addDependency(account, errors);
    addGatewayResponses(this.restApi, configuration);

    this.functions = apiFunctions(this, foundation, routeMethods);
    const authorizations = routeAuthorizations(this, this.functions.authorize, configuration.auth.mode);
    addRoutes(this.restApi, this.functions, authorizations);
    acknowledge(
      this.restApi,
      'COG4',
      "Callers are programs that authenticate with an API key of this service, a token of the operator's identity provider, or AWS credentials, as configured. A Lambda authorizer or IAM checks them, so a user pool is not needed.",
    );
    justify(
      this.restApi.deploymentStage,
      'CKV_AWS_120',
      'Responses depend on the caller and change every few seconds. A cache costs from $14 a month, and clients revalidate with ETags for free.',
    );
    protectStage(this, this.restApi.deploymentStage, configuration.waf);
    this.domain = configuration.domain && addDomain(this, this.restApi, configuration.domain);
  }
}
