import type { Resource, Stack } from '../template/load-stack.ts';
import type { ApiDefinition, AuthorizerDefinition, MethodDefinition } from './api-definition.ts';

/**
 * Reads the template's REST API.
 * @throws Error unless there is exactly one API with one stage, and all references resolve
 */
export function readApi(stack: Stack): ApiDefinition {
  const api = onlyItem(stack.all('AWS::ApiGateway::RestApi'), 'REST API');
  const stage = onlyItem(stack.all('AWS::ApiGateway::Stage'), 'stage');
  const pathOf = resourcePaths(stack, api);
  const authorizers = new Map(
    stack.all('AWS::ApiGateway::Authorizer').map((authorizer) => [authorizer.ref, readAuthorizer(authorizer)]),
  );
  return {
    api_id: api.ref,
    stage_name: stage.ref,
    domains: stack.all('AWS::ApiGateway::BasePathMapping').map(({ properties }) => ({
      name: properties.DomainName,
      base_path: properties.BasePath === undefined ? '' : `/${properties.BasePath}`,
    })),
    binary_media_types: api.properties.BinaryMediaTypes,
    minimum_compression_size: api.properties.MinimumCompressionSize,
    methods: stack.all('AWS::ApiGateway::Method').map(({ logical_id, properties }): MethodDefinition => {
      const authorizer = authorizers.get(properties.AuthorizerId ?? '');
      if ((properties.AuthorizationType === 'CUSTOM') !== (authorizer !== undefined))
        throw new Error(`${logical_id}: its authorization type and its authorizer do not match`);
      return {
        resource_path: pathOf(properties.ResourceId),
        http_method: properties.HttpMethod,
        function_arn: functionOf(properties.Integration.Uri),
        integration_timeout_milliseconds: properties.Integration.TimeoutInMillis,
        authorizer,
        requires_iam: properties.AuthorizationType === 'AWS_IAM',
      };
    }),
    gateway_responses: stack.all('AWS::ApiGateway::GatewayResponse').map(({ properties }) => ({
      response_type: properties.ResponseType,
      status_code: properties.StatusCode === undefined ? undefined : Number(properties.StatusCode),
      templates: properties.ResponseTemplates,
      parameters: properties.ResponseParameters,
    })),
    method_settings: stage.properties.MethodSettings.map((setting) => ({
      http_method: setting.HttpMethod,
      // A stage writes `/~1videos` for `/videos`.
      resource_path: setting.ResourcePath.replace(/^\/~1/, '/').replaceAll('~1', '/'),
      rate_limit: setting.ThrottlingRateLimit,
      burst_limit: setting.ThrottlingBurstLimit,
    })),
  };
}

function readAuthorizer({ logical_id, properties }: Resource<'AWS::ApiGateway::Authorizer'>): AuthorizerDefinition {
  return {
    id: logical_id,
    function_arn: functionOf(properties.AuthorizerUri),
    identity_sources: properties.IdentitySource.split(',').map((source) => source.trim()),
    result_ttl_seconds: properties.AuthorizerResultTtlInSeconds,
  };
}

function resourcePaths(stack: Stack, api: Resource<'AWS::ApiGateway::RestApi'>): (id: string) => string {
  const byId = new Map(stack.all('AWS::ApiGateway::Resource').map((resource) => [resource.ref, resource.properties]));
  const root = api.attribute('RootResourceId');
  const pathOf = (id: string): string => {
    if (id === root) return '/';
    const resource = byId.get(id);
    if (!resource) throw new Error(`a method or resource refers to ${id}, which is not a resource of the API`);
    return `${pathOf(resource.ParentId).replace(/\/$/, '')}/${resource.PathPart}`;
  };
  return pathOf;
}

/** Reads the function ARN in `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<arn>/invocations`. */
function functionOf(uri: string): string {
  const arn = /^arn:aws:apigateway:[^:]*:lambda:path\/2015-03-31\/functions\/(.+)\/invocations$/.exec(uri)?.[1];
  if (arn === undefined) throw new Error(`the integration ${uri} is not a Lambda function`);
  return arn;
}

function onlyItem<Item>(items: readonly Item[], what: string): Item {
  const [item, ...more] = items;
  if (item === undefined || more.length > 0)
    throw new Error(`the local runtime supports exactly one ${what}, but the template has ${items.length}`);
  return item;
}
