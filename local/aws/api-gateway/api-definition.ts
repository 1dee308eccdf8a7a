/** The template's REST API, resolved. */
export interface ApiDefinition {
  api_id: string;
  stage_name: string;
  domains: readonly DomainDefinition[];
  binary_media_types: readonly string[];
  /** Smaller responses are not packed, and without it none. */
  minimum_compression_size?: number | undefined;
  methods: readonly MethodDefinition[];
  gateway_responses: readonly GatewayResponseDefinition[];
  method_settings: readonly MethodSetting[];
}

/** A custom domain name of the API. */
export interface DomainDefinition {
  name: string;
  /** `/base`, or empty. */
  base_path: string;
}

export interface MethodDefinition {
  /** `/videos/{id}` */
  resource_path: string;
  /** An HTTP method, or `ANY`. */
  http_method: string;
  /** The Lambda function of the proxy integration. */
  function_arn: string;
  integration_timeout_milliseconds: number;
  authorizer?: AuthorizerDefinition;
  /** Whether the method's authorization is `AWS_IAM`. */
  requires_iam?: boolean;
}

/** A Lambda authorizer of type REQUEST. */
export interface AuthorizerDefinition {
  id: string;
  function_arn: string;
  /**
   * The request parameters that identify a caller, such as `method.request.header.Authorization`. They are also the
   * cache key.
   */
  identity_sources: readonly string[];
  /** 0 disables the cache. */
  result_ttl_seconds: number;
}

/** A response that API Gateway sends itself. */
export interface GatewayResponseDefinition {
  /** `UNAUTHORIZED`, `DEFAULT_4XX`, … */
  response_type: string;
  /** @default the status of the error */
  status_code?: number;
  /** By media type. */
  templates?: Readonly<Record<string, string>>;
  /** `gatewayresponse.header.<name>` → `'constant'`. */
  parameters: Readonly<Record<string, string>>;
}

/** A stage's settings for one method, or for all methods (`*` and `/*`). */
export interface MethodSetting {
  http_method: string;
  resource_path: string;
  /** Requests per second. */
  rate_limit?: number;
  burst_limit?: number;
}
