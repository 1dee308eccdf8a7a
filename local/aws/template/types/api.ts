import * as z from 'zod';
import { resourceType } from '../resource-type.ts';
import { boolean, ignored, number, oneOf, tags, text, textLike } from '../schema.ts';

const noCloudWatch = ignored('there is no CloudWatch');

const integration = z.strictObject({
  IntegrationHttpMethod: oneOf('POST'),
  TimeoutInMillis: number(50, 29_000).default(29_000),
  Type: oneOf('AWS_PROXY'),
  Uri: text,
});

const methodSetting = z.strictObject({
  DataTraceEnabled: noCloudWatch,
  HttpMethod: text,
  LoggingLevel: noCloudWatch,
  MetricsEnabled: noCloudWatch,
  ResourcePath: text,
  ThrottlingBurstLimit: number(1).optional(),
  ThrottlingRateLimit: number(0).optional(),
});

export const apiTypes = {
  'AWS::ApiGateway::RestApi': resourceType({
    ref: ({ logical_id }) => logical_id.toLowerCase(),
    attributes: { RootResourceId: ({ logical_id }) => `${logical_id.toLowerCase()}-root` },
    properties: z.strictObject({
      BinaryMediaTypes: z.array(text).default([]),
      Description: ignored('a description'),
      EndpointConfiguration: ignored('the API listens on the loopback address'),
      MinimumCompressionSize: number(0, 10_485_760).optional(),
      Name: ignored('a label'),
      ...tags,
    }),
  }),
  'AWS::ApiGateway::DomainName': resourceType({
    name_property: 'DomainName',
    attributes: {
      RegionalDomainName: ({ region }) => `d-local.execute-api.${region}.amazonaws.com`,
      RegionalHostedZoneId: () => 'ZLOCAL',
    },
    properties: z.strictObject({
      DomainName: text,
      EndpointConfiguration: z.strictObject({ Types: z.tuple([oneOf('REGIONAL')]) }),
      RegionalCertificateArn: ignored('the API listens without TLS'),
      SecurityPolicy: ignored('the API listens without TLS'),
      ...tags,
    }),
  }),
  'AWS::ApiGateway::BasePathMapping': resourceType({
    properties: z.strictObject({
      BasePath: textLike(/^[\w-]+$/, 'must be one segment').optional(),
      DomainName: text,
      RestApiId: text,
      Stage: text,
    }),
  }),
  'AWS::ApiGateway::Resource': resourceType({
    ref: ({ logical_id }) => logical_id,
    properties: z.strictObject({ ParentId: text, PathPart: text, RestApiId: text }),
  }),
  'AWS::ApiGateway::Method': resourceType({
    properties: z.strictObject({
      AuthorizationType: oneOf('NONE', 'CUSTOM', 'AWS_IAM'),
      AuthorizerId: text.optional(),
      HttpMethod: text,
      Integration: integration,
      // The router matches path parameters by itself. No other parameters are supported.
      RequestParameters: z.record(z.string().regex(/^method\.request\.path\./), boolean).optional(),
      RequestValidatorId: text.optional(),
      ResourceId: text,
      RestApiId: text,
    }),
  }),
  'AWS::ApiGateway::RequestValidator': resourceType({
    properties: z.strictObject({
      RestApiId: text,
      ValidateRequestBody: ignored('no method has a request model'),
      ValidateRequestParameters: ignored('methods have path parameters only'),
    }),
  }),
  'AWS::ApiGateway::Authorizer': resourceType({
    ref: ({ logical_id }) => logical_id,
    properties: z.strictObject({
      AuthorizerResultTtlInSeconds: number(0, 3600).default(300),
      AuthorizerUri: text,
      IdentitySource: text,
      Name: ignored('a label'),
      RestApiId: text,
      Type: oneOf('REQUEST'),
    }),
  }),
  'AWS::ApiGateway::GatewayResponse': resourceType({
    properties: z.strictObject({
      ResponseParameters: z.record(z.string(), text).default({}),
      ResponseTemplates: z.record(z.string(), text).optional(),
      ResponseType: text,
      RestApiId: text,
      StatusCode: text.optional(),
    }),
  }),
  'AWS::ApiGateway::Deployment': resourceType({
    properties: z.strictObject({ Description: ignored('a description'), RestApiId: text }),
  }),
  'AWS::ApiGateway::Stage': resourceType({
    name_property: 'StageName',
    properties: z.strictObject({
      AccessLogSetting: noCloudWatch,
      DeploymentId: text,
      MethodSettings: z.array(methodSetting).default([]),
      RestApiId: text,
      StageName: text,
      TracingEnabled: ignored('there is no tracing'),
      ...tags,
    }),
  }),
};
