/** A REST API as the template declares it, with everything resolved. */
export interface ApiDefinition {
  api_id: string;
  stage_name: string;
  binary_media_types: readonly string[];
  methods: readonly MethodDefinition[];
  gateway_responses: readonly GatewayResponseDefinition[];
  method_settings: readonly MethodSetting[];
}

export interface MethodDefinition {
  /** `/videos/{id}` */
  resource_path: string;
  /** An HTTP method, or `ANY`. */
  http_method: string;
  /** The Lambda behind it. */
  function_arn: string;
  integration_timeout_milliseconds: number;
  authorizer?: AuthorizerDefinition;
  /** Whether the API itself checks who signed the request (`AWS_IAM`). */
  is_signed?: boolean;
}

/** A Lambda authorizer of type REQUEST. */
export interface AuthorizerDefinition {
  id: string;
  function_arn: string;
  /** What identifies a caller: `method.request.header.Authorization`, …; also the cache's key. */
  identity_sources: readonly string[];
  /** 0 turns the cache off. */
  result_ttl_seconds: number;
}

/** How an answer that no Lambda gave is shaped. */
export interface GatewayResponseDefinition {
  /** `UNAUTHORIZED`, `DEFAULT_4XX`, … */
  response_type: string;
  /** @default the type's own; for `DEFAULT_4XX` and `DEFAULT_5XX` that of the error */
  status_code?: number;
  /** By media type. */
  templates?: Readonly<Record<string, string>>;
  /** `gatewayresponse.header.<name>` → `'constant'`. */
  parameters: Readonly<Record<string, string>>;
}

/** Settings of a stage for one method, or for all of them (`*` and `/*`). */
export interface MethodSetting {
  http_method: string;
  resource_path: string;
  /** Requests per second. */
  rate_limit?: number;
  burst_limit?: number;
}
