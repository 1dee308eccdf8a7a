import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FunctionBundle } from '../infra/synth/bundle.ts';
import { defaultAddresses, withOrigins } from './addresses.ts';
import { serverOptions } from './aws/api-gateway/server-options.ts';
import { type Clock, systemClock } from './aws/clock.ts';
import { lockDirectory } from './aws/directory-lock.ts';
import type { AwsCall } from './aws/endpoint/aws-call.ts';
import type { FaultInjection } from './aws/fault-injection.ts';
import { type Listener, listen } from './aws/listen.ts';
import type { Runtime } from './aws/runtime.ts';
import { seedApiKey } from './aws/seed-api-key.ts';
import { startEmulator } from './emulator.ts';
import type { LocalSettings } from './settings.ts';
import { stackContext } from './stack-context.ts';
import type { Wan } from './wan/server.ts';

/** firstframe, running on this machine. */
export interface LocalStack {
  /** `http://127.0.0.1:<port>`, without a stage. */
  api_url: string;
  /** Endpoint of all AWS services. */
  aws_url: string;
  /** The emulator's base URL, ending in `/api/v1`; undefined when the real Wan is used. */
  wan_url: string | undefined;
  wan: Wan | undefined;
  /** Directory of the state. Absolute. */
  directory: string;
  runtime: Runtime;
  /** The latest 100,000 AWS calls, oldest first. */
  calls: readonly AwsCall[];
  /** Stops without finishing open videos; the next start resumes them. */
  close(): Promise<void>;
}

export interface LocalDependencies {
  /** Time of API Gateway, EventBridge, SQS and Step Functions. @default the system clock */
  clock?: Clock;
  /** Cache of bundles and templates. @default `.build` in the project */
  build_directory?: string;
  /** Builds the code of the functions. @default the deployed bundles */
  bundles?: () => Promise<Map<string, FunctionBundle>>;
  /** Settings that replace the local ones, as in cdk.json; `trustedOrigins` are added to the local ones. */
  context?: Record<string, unknown>;
  /** Concurrent workers per function; further invocations wait. @default 8 */
  max_concurrency?: number;
  /** Called with each AWS call. */
  on_call?: (call: AwsCall) => void;
  /** For tests: faults to inject, and the base URL of a proxy in front of the emulator. */
  faults?: FaultInjection & { wan_url?: string };
}

const recordedCalls = 100_000;

/**
 * Runs the stack as it would be deployed: the synthesized template with local addresses, and the deployed bundles.
 * When it resolves, everything is up and work that a killed process left has been resumed.
 * @throws Error with the way to fix it: ports in use, a directory in use, template parts that the local runtime does not know
 */
export async function startLocal(settings: LocalSettings, dependencies: LocalDependencies = {}): Promise<LocalStack> {
  const {
    clock = systemClock,
    build_directory: outdir,
    bundles,
    context,
    max_concurrency,
    on_call,
    faults,
  } = dependencies;
  // Lambda runs in UTC, and worker threads share the time zone of this process.
  process.env.TZ = 'UTC';
  const unlock = await lockDirectory(settings.directory);
  const opened: { api?: Listener; aws?: Listener; wan?: Wan | undefined; runtime?: Runtime } = {};
  const closeAll = async () => {
    try {
      await opened.api?.close();
      await opened.runtime?.stop();
      await opened.aws?.close();
      await opened.runtime?.close();
      await opened.wan?.close();
    } finally {
      unlock();
    }
  };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll();
    return closing;
  };
  try {
    // Concurrently, because loading code takes longest.
    const [{ synthesize }, code, { createRuntime }, api, aws, wan] = await allSettled([
      import('../infra/synth/synthesize.ts'),
      bundles?.() ?? import('../infra/synth/bundle.ts').then(({ bundle }) => bundle({ outdir })),
      import('./aws/runtime.ts'),
      listen(settings.port, 'PORT', serverOptions).then((api) => {
        opened.api = api;
        return api;
      }),
      listen(settings.aws_port, 'AWS_PORT').then((aws) => {
        opened.aws = aws;
        return aws;
      }),
      startEmulator(settings).then((wan) => {
        opened.wan = wan;
        return wan;
      }),
      // The copies of the bundles in there are CommonJS, although the project is not.
      writeFile(path.join(settings.directory, 'package.json'), '{"type":"commonjs"}\n'),
    ]);
    const { template, assetDirectory } = await synthesize({
      bundles: code,
      context: stackContext(settings, defaultAddresses.awsUrl, wan && defaultAddresses.emulatorUrl, context),
      outdir,
    });
    const calls: AwsCall[] = [];
    const runtime = await createRuntime({
      max_concurrency,
      template: withOrigins(template, { awsUrl: aws.url, emulatorUrl: faults?.wan_url ?? wan?.url }),
      codeDirectory: assetDirectory,
      directory: settings.directory,
      clock,
      faults,
      endpoint_url: aws.url,
      secret_value: settings.wan.kind === 'real' ? settings.wan.api_key : 'sk-local',
      recordCall(call) {
        calls.push(call);
        on_call?.(call);
        if (calls.length > recordedCalls) calls.shift();
      },
    });
    opened.runtime = runtime;
    const table = runtime.stack.all('AWS::DynamoDB::Table')[0]!.name;
    await seedApiKey(runtime.dynamoDb, { table, key: settings.api_key, owner: 'local', now: clock.now() });
    aws.serve(runtime.endpoint);
    await runtime.resume();
    api.serve(runtime.api.handle, runtime.api.handleInvalidRequest);
    const { directory } = settings;
    return { api_url: api.url, aws_url: aws.url, wan_url: wan?.url, wan, directory, runtime, calls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Waits for all even when one fails, so that what the others opened can be closed.
 * @throws Error the only failure, or one with the messages of all: three ports in use are reported together
 */
async function allSettled<Values extends readonly unknown[]>(
  work: Values,
): Promise<{ -readonly [Key in keyof Values]: Awaited<Values[Key]> }> {
  const settled = await Promise.allSettled(work);
  const errors = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (errors.length > 1) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
  return Promise.all(work);
}
