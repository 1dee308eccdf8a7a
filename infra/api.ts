import { Duration, Stack } from 'aws-cdk-lib';
import {
  AuthorizationType,
  EndpointType,
  type IAuthorizer,
  IdentitySource,
  LambdaIntegration,
  type MethodOptions,
  RequestAuthorizer,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { apiFunctions } from './api-functions.ts';
import { accountLogging, stageLogging } from './api-logging.ts';
import type { Foundation } from './foundation.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import type { PipelineFunction } from './pipeline-function.ts';

/**
 * The HTTPS API: a regional REST API, since only its gateway responses can be shaped. Every method but `GET /health` and the console's
 * page, which holds nothing of anybody's, asks the authorizer; bodies are checked by the functions, which tell all that is wrong with one at once.
 */
export class Api extends Construct {
  readonly restApi: RestApi;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const { configuration, functions } = foundation;
    const { authorize, console, health, submit, videos } = apiFunctions(this, foundation);

    const account = accountLogging(this);
    this.restApi = new RestApi(this, 'RestApi', {
      // A label: two APIs may have the same.
      restApiName: Stack.of(this).stackName,
      description: 'A picture and a prompt become a video',
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: false,
      deployOptions: {
        stageName: 'v1',
        throttlingRateLimit: configuration.apiThrottle.rate,
        throttlingBurstLimit: configuration.apiThrottle.burst,
        ...stageLogging(this, functions.logRetention),
      },
    });
    this.restApi.node.tryRemoveChild('Endpoint'); // An output of its own; the stack has one with a better name.
    this.restApi.deploymentStage.node.addDependency(account);
    addGatewayResponses(this.restApi);

    const authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: authorize.live,
      identitySources: [IdentitySource.header('Authorization')],
      resultsCacheTtl: Duration.minutes(1),
    });
    this.addRoutes({ authorizer, console, health, submit, videos });
    acknowledge(
      this.restApi,
      'COG4',
      "Callers are programs with API keys of this service, stored as hashes and revocable; the Lambda authorizer looks them up. Nobody signs in with a user's account.",
    );
    acknowledge(
      this.restApi.deploymentStage,
      'APIG3',
      'Nothing but /health and the page of the console is reached without a key, and stage and lanes are throttled. A web ACL costs more than this API does; the stage takes one if the account has it.',
    );
  }

  private addRoutes(to: {
    authorizer: IAuthorizer;
    console: PipelineFunction;
    health: PipelineFunction;
    submit: PipelineFunction;
    videos: PipelineFunction;
  }): void {
    // Without models it checks the parameters that a method names, and leaves bodies to the functions.
    const requestValidator = this.restApi.addRequestValidator('RequestValidator', {
      validateRequestBody: true,
      validateRequestParameters: true,
    });
    const withKey: MethodOptions = {
      authorizer: to.authorizer,
      authorizationType: AuthorizationType.CUSTOM,
      requestValidator,
    };
    const withId: MethodOptions = { ...withKey, requestParameters: { 'method.request.path.id': true } };

    const health = this.restApi.root.addResource('health').addMethod('GET', call(to.health), { requestValidator });
    acknowledge(health, 'APIG4', 'Tells that the service is up and nothing else, to monitors that have no key.');

    const page = this.restApi.root.addMethod('GET', call(to.console), { requestValidator });
    acknowledge(
      page,
      'APIG4',
      'A page that is the same for everybody: it asks for a key and calls the other routes with it.',
    );

    const videos = this.restApi.root.addResource('videos');
    videos.addMethod('POST', call(to.submit), withKey);
    videos.addMethod('GET', call(to.videos), withKey);
    const video = videos.addResource('{id}');
    video.addMethod('GET', call(to.videos), withId);
    video.addResource('content').addMethod('GET', call(to.videos), withId);
  }
}

const call = (step: PipelineFunction): LambdaIntegration =>
  new LambdaIntegration(step.live, { allowTestInvoke: false });
