import { resourceType, tags } from '../resource-type.ts';
import { boolean, inert, list, map, number, object, oneOf, optional, text, withDefault } from '../schema.ts';

const integration = object({
  IntegrationHttpMethod: oneOf('POST'),
  TimeoutInMillis: withDefault(number(50, 29_000), 29_000),
  Type: oneOf('AWS_PROXY'),
  Uri: text,
});

const methodSetting = object({
  CacheDataEncrypted: inert('there is no cache'),
  CachingEnabled: optional(oneOf(false)),
  DataTraceEnabled: inert('there is no CloudWatch'),
  HttpMethod: text,
  LoggingLevel: inert('there is no CloudWatch'),
  MetricsEnabled: inert('there is no CloudWatch'),
  ResourcePath: text,
  ThrottlingBurstLimit: optional(number(1)),
  ThrottlingRateLimit: optional(number(0)),
});

const restApiId = text;

export const apiTypes = {
  'AWS::ApiGateway::RestApi': resourceType({
    name_property: 'Name',
    ref: ({ logical_id }) => logical_id.toLowerCase(),
    attributes: {
      RestApiId: ({ logical_id }) => logical_id.toLowerCase(),
      RootResourceId: ({ logical_id }) => `${logical_id.toLowerCase()}-root`,
    },
    properties: object({
      BinaryMediaTypes: withDefault(list(text), []),
      Description: inert('a description'),
      DisableExecuteApiEndpoint: inert('the local address is the only one'),
      EndpointConfiguration: inert('the API listens on the loopback address'),
      Name: text,
      Tags: tags,
    }),
  }),
  'AWS::ApiGateway::Resource': resourceType({
    ref: ({ logical_id }) => logical_id,
    attributes: { ResourceId: ({ logical_id }) => logical_id },
    properties: object({ ParentId: text, PathPart: text, RestApiId: restApiId }),
  }),
  'AWS::ApiGateway::Method': resourceType({
    ref: ({ logical_id }) => logical_id,
    attributes: {},
    properties: object({
      ApiKeyRequired: optional(oneOf(false)),
      AuthorizationType: oneOf('NONE', 'CUSTOM', 'AWS_IAM'),
      AuthorizerId: optional(text),
      HttpMethod: text,
      Integration: integration,
      MethodResponses: inert('a proxy integration answers for itself'),
      OperationName: inert('a name'),
      // A route with a parameter in its path is found only where the path has it; nothing else is checked.
      RequestParameters: optional(map(boolean, /^method\.request\.path\./)),
      RequestValidatorId: optional(text),
      ResourceId: text,
      RestApiId: restApiId,
    }),
  }),
  'AWS::ApiGateway::RequestValidator': resourceType({
    name_property: 'Name',
    ref: ({ logical_id }) => logical_id,
    attributes: { RequestValidatorId: ({ logical_id }) => logical_id },
    properties: object({
      Name: inert('a label'),
      RestApiId: restApiId,
      ValidateRequestBody: inert('no method has a model to check a body by'),
      ValidateRequestParameters: inert('methods name parameters of their path only'),
    }),
  }),
  'AWS::ApiGateway::Authorizer': resourceType({
    name_property: 'Name',
    ref: ({ logical_id }) => logical_id,
    attributes: { AuthorizerId: ({ logical_id }) => logical_id },
    properties: object({
      AuthorizerResultTtlInSeconds: withDefault(number(0, 3600), 300),
      AuthorizerUri: text,
      IdentitySource: withDefault(text, ''),
      Name: text,
      RestApiId: restApiId,
      Type: oneOf('REQUEST'),
    }),
  }),
  'AWS::ApiGateway::GatewayResponse': resourceType({
    ref: ({ logical_id }) => logical_id,
    attributes: {},
    properties: object({
      ResponseParameters: withDefault(map(text), {}),
      ResponseTemplates: optional(map(text)),
      ResponseType: text,
      RestApiId: restApiId,
      StatusCode: optional(text),
    }),
  }),
  'AWS::ApiGateway::Deployment': resourceType({
    ref: ({ logical_id }) => logical_id,
    attributes: { DeploymentId: ({ logical_id }) => logical_id },
    properties: object({ Description: inert('a description'), RestApiId: restApiId }),
  }),
  'AWS::ApiGateway::Stage': resourceType({
    name_property: 'StageName',
    ref: ({ name }) => name,
    attributes: {},
    properties: object({
      AccessLogSetting: inert('there is no CloudWatch'),
      DeploymentId: text,
      Description: inert('a description'),
      MethodSettings: withDefault(list(methodSetting), []),
      RestApiId: restApiId,
      StageName: text,
      Tags: tags,
      TracingEnabled: inert('there is no tracing'),
      Variables: optional(map(text)),
    }),
  }),
  'AWS::ApiGateway::Account': resourceType({
    ref: ({ name }) => name,
    attributes: { Id: ({ name }) => name },
    properties: inert('there is no CloudWatch'),
  }),
};
