import { resourceType } from '../resource-type.ts';
import { boolean, inert, list, map, number, object, oneOf, optional, text, withDefault } from '../schema.ts';

const unwatched = inert('there is no CloudWatch');

const integration = object({
  IntegrationHttpMethod: oneOf('POST'),
  TimeoutInMillis: withDefault(number(50, 29_000), 29_000),
  Type: oneOf('AWS_PROXY'),
  Uri: text,
});

const methodSetting = object({
  DataTraceEnabled: unwatched,
  HttpMethod: text,
  LoggingLevel: unwatched,
  MetricsEnabled: unwatched,
  ResourcePath: text,
  ThrottlingBurstLimit: optional(number(1)),
  ThrottlingRateLimit: optional(number(0)),
});

export const apiTypes = {
  'AWS::ApiGateway::RestApi': resourceType({
    ref: ({ logical_id }) => logical_id.toLowerCase(),
    attributes: { RootResourceId: ({ logical_id }) => `${logical_id.toLowerCase()}-root` },
    properties: object({
      BinaryMediaTypes: withDefault(list(text), []),
      Description: inert('a description'),
      EndpointConfiguration: inert('the API listens on the loopback address'),
      Name: inert('a label'),
    }),
  }),
  'AWS::ApiGateway::Resource': resourceType({
    ref: ({ logical_id }) => logical_id,
    properties: object({ ParentId: text, PathPart: text, RestApiId: text }),
  }),
  'AWS::ApiGateway::Method': resourceType({
    properties: object({
      AuthorizationType: oneOf('NONE', 'CUSTOM', 'AWS_IAM'),
      AuthorizerId: optional(text),
      HttpMethod: text,
      Integration: integration,
      // A route with a parameter in its path is found only where the path has it; nothing else is checked.
      RequestParameters: optional(map(boolean, /^method\.request\.path\./)),
      RequestValidatorId: optional(text),
      ResourceId: text,
      RestApiId: text,
    }),
  }),
  'AWS::ApiGateway::RequestValidator': resourceType({
    properties: object({
      RestApiId: text,
      ValidateRequestBody: inert('no method has a model to check a body by'),
      ValidateRequestParameters: inert('methods name parameters of their path only'),
    }),
  }),
  'AWS::ApiGateway::Authorizer': resourceType({
    ref: ({ logical_id }) => logical_id,
    properties: object({
      AuthorizerResultTtlInSeconds: withDefault(number(0, 3600), 300),
      AuthorizerUri: text,
      IdentitySource: text,
      Name: inert('a label'),
      RestApiId: text,
      Type: oneOf('REQUEST'),
    }),
  }),
  'AWS::ApiGateway::GatewayResponse': resourceType({
    properties: object({
      ResponseParameters: withDefault(map(text), {}),
      ResponseTemplates: optional(map(text)),
      ResponseType: text,
      RestApiId: text,
      StatusCode: optional(text),
    }),
  }),
  'AWS::ApiGateway::Deployment': resourceType({
    properties: object({ Description: inert('a description'), RestApiId: text }),
  }),
  'AWS::ApiGateway::Stage': resourceType({
    name_property: 'StageName',
    properties: object({
      AccessLogSetting: unwatched,
      DeploymentId: text,
      MethodSettings: withDefault(list(methodSetting), []),
      RestApiId: text,
      StageName: text,
      TracingEnabled: inert('there is no tracing'),
    }),
  }),
};
