import path from 'node:path';
import { region } from '../account.ts';
import type { FunctionDefinition } from './function-definition.ts';

/**
 * A worker's complete environment: Lambda's reserved variables and the template's. It contains nothing of this process.
 * The AWS SDK must not read the developer's profile, which may name another region or endpoint.
 */
export function workerEnvironment(definition: FunctionDefinition, endpointUrl: string): Record<string, string> {
  const missingFile = path.join(definition.code_directory, 'no-aws-profile');
  return {
    ...definition.environment,
    AWS_ACCESS_KEY_ID: definition.access_key_id,
    AWS_CONFIG_FILE: missingFile,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: endpointUrl,
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memory_mb),
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${definition.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_REGION: region,
    // The SDK's warning about Node versions does not apply: the deployed runtime is newer.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_SECRET_ACCESS_KEY: definition.secret_access_key,
    AWS_SHARED_CREDENTIALS_FILE: missingFile,
    LAMBDA_TASK_ROOT: definition.code_directory,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: ':UTC',
    _HANDLER: definition.handler,
  };
}
