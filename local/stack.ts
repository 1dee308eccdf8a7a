import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FunctionBundle } from '../infra/synth/bundle.ts';
import { usual, withOrigins } from './addresses.ts';
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
  /** `http://127.0.0.1:<port>`; the routes lie at its root. */
  api_url: string;
  /** The address of every AWS service. */
  aws_url: string;
  /** The emulator's base URL, ending in `/api/v1`; undefined when the real Wan is used. */
  wan_url: string | undefined;
  wan: Wan | undefined;
  /** Of the state. Absolute. */
  directory: string;
  runtime: Runtime;
  /** The latest 100,000 calls to AWS, oldest first. */
  calls: readonly AwsCall[];
  /** Stops without ending anything: the next start resumes. */
  close(): Promise<void>;
}

export interface LocalDependencies {
  /** @default the machine's time. Workers, dynalite and the emulator keep their own. */
  clock?: Clock;
  /** Where bundles and templates are cached. @default the project's */
  build_directory?: string;
  /** Makes the functions' code. @default the deployed bundles */
  bundles?: () => Promise<Map<string, FunctionBundle>>;
  /** Settings of the stack over those of this machine, as in cdk.json; origins that are trusted are added to this machine's. */
  context?: Record<string, unknown>;
  /** Workers at once per function; more invocations wait. @default 8 */
  max_concurrency?: number;
  /** Told of each call to AWS. @default nobody */
  on_call?: (call: AwsCall) => void;
  /** For tests: what goes wrong on purpose, and a base URL of Wan that leads to the emulator by a detour. @default none */
  faults?: FaultInjection & { wan_url?: string };
}

const recordedCalls = 100_000;

/**
 * Runs the stack as it would be deployed: synthesised with this machine's addresses, every function its deployed bundle.
 * All is up when it resolves, and what a killed process left is taken up.
 * @throws Error that says how to mend it: a taken port, a directory in use, a template the local runtime does not know
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
  // Lambda's clock shows UTC, and worker threads share this process's time zone.
  process.env.TZ = 'UTC';
  const unlock = lockDirectory(settings.directory);
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
    // All at once: loading code takes longer than anything else.
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
      // The bundles' copies and whatever else is JavaScript in there is CommonJS, whatever the project is.
      writeFile(path.join(settings.directory, 'package.json'), '{"type":"commonjs"}\n'),
    ]);
    const { template, assetDirectory } = await synthesize({
      bundles: code,
      context: stackContext(settings, usual.awsUrl, wan && usual.emulatorUrl, context),
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

/** Waits for all even when one fails, so that what the others opened can be closed. @throws the first failure */
async function allSettled<Values extends readonly unknown[]>(
  work: Values,
): Promise<{ -readonly [Key in keyof Values]: Awaited<Values[Key]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
