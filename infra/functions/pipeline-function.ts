import { AssetHashType, type Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  Architecture,
  type CfnFunction,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { EnvironmentOf, FunctionName } from '../../functions/shared/environment.ts';
import { ConfigurationError } from '../config.ts';
import type { FunctionBundle } from '../synth/bundle.ts';
import { acknowledgeWildcard, justify, justifyLogKey } from './acknowledge.ts';
import { type Access, sendStatements } from './grants.ts';

/** Properties that all functions of a deployment share. */
export interface FunctionSettings {
  readonly bundles: ReadonlyMap<string, FunctionBundle>;
  readonly logRetention: RetentionDays;
}

export interface PipelineFunctionProps<Name extends FunctionName> extends FunctionSettings {
  readonly description: string;
  /** Its permissions, and exactly the variables of its schema in `functions/shared/environment.ts`. */
  readonly access: Access<EnvironmentOf<Name>>;
  readonly timeout: Duration;
  /** Memory in MB. CPU is allocated in proportion to memory. @default 256 */
  readonly memory?: number;
  /** Reserved concurrency; Lambda throttles invocations above it. @default - the account's unreserved concurrency */
  readonly concurrency?: number | undefined;
  /** Whether X-Ray traces its invocations. @default true */
  readonly tracing?: boolean;
  /** The queue for events that an asynchronously invoked function failed to handle. @default - no queue */
  readonly deadLetters?: IQueue;
  /** Why it needs no such queue. @default - API Gateway or Step Functions invokes it, which receive its errors */
  readonly noDeadLetters?: string;
}

/**
 * A Lambda function with its own code, role and log group. It is only invoked through its alias `live`, so that a deployment
 * switches all callers in one step and can be rolled back. The role has no managed policy, only what the function uses.
 */
export class PipelineFunction<Name extends FunctionName = FunctionName> extends Construct {
  readonly live: Alias;
  readonly timeout: Duration;

  /** @param name gives the construct its id: `create-task` is `CreateTaskFunction` */
  constructor(scope: Construct, name: Name, props: PipelineFunctionProps<Name>) {
    super(scope, `${name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}Function`);
    const { bundles, logRetention, description, access, timeout, memory = 256, concurrency, deadLetters } = props;
    const { tracing = true, noDeadLetters = 'API Gateway or Step Functions invokes it and receives its errors.' } =
      props;
    const code = bundles.get(name);
    if (!code) throw new Error(`No bundle for the function ${name}: functions/**/${name}.lambda.ts is missing.`);

    // Powertools adds it to the metrics as the dimension `service`, so that deployments in one account do not mix.
    const environment = { ...access.environment, POWERTOOLS_SERVICE_NAME: Stack.of(this).stackName };
    checkEnvironmentSize(name, environment);
    const logGroup = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const lambda = new LambdaFunction(this, 'Function', {
      description,
      code: Code.fromAsset(code.directory, { assetHash: code.hash, assetHashType: AssetHashType.CUSTOM }),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: memory,
      reservedConcurrentExecutions: concurrency,
      timeout,
      environment,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: tracing ? Tracing.ACTIVE : Tracing.DISABLED,
    });
    logGroup.grantWrite(role);
    for (const statement of access.statements) role.addToPolicy(statement);
    if (deadLetters) {
      // Set on the resource: the construct's `deadLetterQueue` would also grant access to the queue's attributes.
      (lambda.node.defaultChild as CfnFunction).deadLetterConfig = { targetArn: deadLetters.queueArn };
      for (const statement of sendStatements(deadLetters)) role.addToPolicy(statement);
    }
    for (const [resource, reason] of Object.entries(access.wildcards)) acknowledgeWildcard(role, resource, reason);
    if (tracing) acknowledgeWildcard(role, '*', 'The two X-Ray actions take no resource; they only send trace data.');

    justifyLogKey(logGroup);
    justify(
      lambda,
      'CKV_AWS_117',
      'It reaches nothing in a network of the operator, and in a VPC it would need a NAT gateway to reach Wan.',
    );
    justify(
      lambda,
      'CKV_AWS_173',
      'The variables contain names and settings, no secret. Lambda encrypts them with a key of AWS.',
    );
    justify(lambda, 'CKV_AWS_116', noDeadLetters, 'deadLetterConfig');
    justify(
      lambda,
      'CKV_AWS_115',
      'Reserved concurrency is taken from the account, and a new account has 10. Throttling, permits and rate limits bound the invocations; the setting apiConcurrency reserves.',
      'reservedConcurrentExecutions',
    );

    this.live = new Alias(this, 'Live', { aliasName: 'live', version: lambda.currentVersion });
    this.timeout = timeout;
  }
}

/** Lambda's quota for all variables of a function, with their names, in bytes. */
const environmentQuota = 4096;
/** At least the length of an ARN or URL that is only known at deployment. */
const unresolvedBytes = 200;

/** The settings behind the variables that may be long. */
const settingsOf: Readonly<Record<string, string>> = {
  DROP_DEFAULTS: 'drop.prompt or drop.parameters',
  DROP_RULES: 'drop.owners',
  AUTH: 'jwt',
  VIDEO_HOSTS: 'videoHosts',
  TRUSTED_ORIGINS: 'trustedOrigins',
  WAN_BASE_URL: 'wanBaseUrl',
};

/** @throws ConfigurationError that names the longest setting, before CloudFormation fails and rolls the stack back */
function checkEnvironmentSize(name: FunctionName, environment: object): void {
  const sizes = Object.entries(environment)
    .map(([variable, value]: [string, string]) => ({
      variable,
      bytes: variable.length + (Token.isUnresolved(value) ? unresolvedBytes : Buffer.byteLength(value)),
    }))
    .sort((one, other) => other.bytes - one.bytes);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= environmentQuota) return;
  const [{ variable, bytes }] = sizes as [(typeof sizes)[number]];
  throw new ConfigurationError(
    `The environment of the function ${name} has ${total} bytes, and Lambda allows ${environmentQuota}. Shorten the setting ${settingsOf[variable] ?? `behind ${variable}`}: it takes ${bytes} bytes.`,
  );
}
