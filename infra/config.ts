import * as z from 'zod';
import { dropDefaultsSchema, type LaneLimits, laneLimitsSchema } from '../functions/shared/environment.ts';
import { models, offeredModelNames } from '../functions/wan/catalogue.ts';
import { regionNames, regions } from '../functions/wan/regions.ts';

/** What CloudWatch Logs accepts for a log group's retention, in days. */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'];
const isLoopbackOrigin = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.origin === text && url.protocol === 'http:' && loopbackHosts.includes(url.hostname);
};
const modelNames = models.map(({ name }) => name);

const settingsSchema = z.strictObject({
  /** Where Wan runs; its key must be of the same region. */
  region: z.enum(regionNames).default('singapore'),
  /** Wan's base URL, ending in `/api/v1`. @default - the region's public one */
  wanBaseUrl: z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:\/\/[^@?#]*\/api\/v1$/.test(text), {
      error: 'must be an http(s) URL that ends in /api/v1, without a last slash, a query or credentials',
    })
    .optional(),
  /** How Wan gets a private image: from a presigned URL, or through Wan's own temporary upload. @default - `url`; `upload` for Beijing */
  imageTransfer: z.enum(['url', 'upload']).optional(),
  /** What becomes of buckets, table and secret when the stack is deleted. */
  removalPolicy: z.enum(['retain', 'destroy']).default('retain'),
  /** Wan's limits, where the account has others than the documented ones: `{"<model>": {submits_per_second, concurrent_tasks}}`. */
  limits: z.partialRecord(z.enum(modelNames), laneLimitsSchema.shape.models.valueType).default({}),
  /** Permits of a lane above Wan's concurrency, so that a freed place is taken at once. */
  extraPermits: laneLimitsSchema.shape.extra_permits.default(2),
  /** Seconds a task usually takes. @default - the catalogue's figure for the model */
  typicalSeconds: z.number().positive().optional(),
  /**
   * How long a lost answer is looked for in Wan's task list before the request is sent again, in seconds. A call to Wan lasts up
   * to 75 s, so only an emulator, which ends with this machine's stack, may be given less. At most half of the hour for which the
   * workflow keeps asking.
   */
  uncertainSeconds: z.number().positive().max(1800).default(120),
  /**
   * Origins that the Lambdas may fetch from although they are plain http and private. Loopback alone: on a developer's machine
   * that is where the emulator is; in the cloud it is the Lambda itself, so that no value of this setting opens a network.
   */
  trustedOrigins: z
    .array(
      z.string().refine(isLoopbackOrigin, { error: 'must be a loopback http origin such as http://127.0.0.1:4401' }),
    )
    .default([]),
  /** What a drop becomes when nothing beside the image says otherwise. */
  drop: dropDefaultsSchema
    .extend({
      owner: dropDefaultsSchema.shape.owner.default('drops'),
      /** The cheapest of the models. */
      model: z.enum(offeredModelNames).default('wan2.2-i2v-flash'),
      prompt: z.string().default('The scene comes gently to life; the camera moves slowly and smoothly.'),
    })
    .prefault({}),
  logRetentionDays: z.literal(retentionDays).default(30),
  /** Requests per second, and at once, over all callers; more is a 429. */
  apiThrottle: z
    .strictObject({ rate: z.number().positive().default(50), burst: z.int().positive().default(100) })
    .prefault({}),
});

/** Every setting there is. */
export const settingNames = Object.keys(settingsSchema.shape);

type Settings = z.output<typeof settingsSchema>;

/** A deployment's settings, checked, every default filled in. */
export interface Configuration extends Omit<Settings, 'wanBaseUrl' | 'imageTransfer' | 'limits' | 'extraPermits'> {
  readonly wanBaseUrl: string;
  readonly imageTransfer: 'url' | 'upload';
  readonly laneLimits: LaneLimits;
}

/** Settings whose value is plain text; on the command line the others are JSON: `-c extraPermits=3`, `-c 'trustedOrigins=["…"]'`. */
const textSettings = new Set(['region', 'wanBaseUrl', 'imageTransfer', 'removalPolicy']);

/** Context keys that belong to the CDK and its CLI: feature flags, look-ups, acknowledged notices, telemetry. */
const isForeign = (key: string): boolean =>
  /[:@/]/.test(key) || ['acknowledged-issue-numbers', 'cli-telemetry'].includes(key);

/**
 * The configuration that a CDK context holds: the object under `firstframe`, and over it single settings (`cdk deploy -c region=beijing`).
 * @throws ConfigurationError that names every wrong or unknown key with the value given and what is allowed.
 */
export function readConfiguration(context: Record<string, unknown>): Configuration {
  const { firstframe = {}, ...others } = context;
  const single = Object.entries(others).filter(([key]) => !isForeign(key));
  if (!isObject(firstframe))
    throw new ConfigurationError(report([`firstframe = ${JSON.stringify(firstframe)}: must be an object of settings`]));

  const given = {
    ...firstframe,
    ...Object.fromEntries(single.map(([key, value]) => [key, fromCommandLine(key, value)])),
  };
  const parsed = settingsSchema.safeParse(given);
  const violations = [
    ...(parsed.error?.issues.flatMap((issue) => describe(issue, given)) ?? []),
    ...contradictions(given),
  ];
  if (!parsed.success || violations.length > 0) throw new ConfigurationError(report(violations));

  const { limits, extraPermits, wanBaseUrl, imageTransfer, ...settings } = parsed.data;
  return {
    ...settings,
    wanBaseUrl: wanBaseUrl ?? regions[settings.region].base_url,
    imageTransfer: imageTransfer ?? (settings.region === 'beijing' ? 'upload' : 'url'),
    laneLimits: { extra_permits: extraPermits, models: limits },
  };
}

/** What is wrong between settings that are each right. */
function contradictions(given: Record<string, unknown>): string[] {
  const { region, imageTransfer, wanBaseUrl, trustedOrigins, uncertainSeconds } = given;
  const violations: string[] = [];
  const trusted = Array.isArray(trustedOrigins) ? trustedOrigins : [];
  const isTrusted = (url: unknown): boolean =>
    typeof url === 'string' && URL.canParse(url) && trusted.includes(new URL(url).origin);
  if (typeof uncertainSeconds === 'number' && uncertainSeconds < 100 && !isTrusted(wanBaseUrl)) {
    violations.push(
      `uncertainSeconds = ${uncertainSeconds}: must be 100 or more, since a call to Wan may last 75 s and sending again before it has ended could pay twice`,
    );
  }
  if (region === 'beijing' && imageTransfer === 'url') {
    violations.push(
      'imageTransfer = "url": not with region = "beijing", which cannot be relied on to fetch from S3 outside mainland China; leave it out or say "upload"',
    );
  }
  if (
    typeof wanBaseUrl === 'string' &&
    /^http:/.test(wanBaseUrl) &&
    URL.canParse(wanBaseUrl) &&
    !isTrusted(wanBaseUrl)
  ) {
    violations.push(
      `wanBaseUrl = ${JSON.stringify(wanBaseUrl)}: must be https, as Wan's key travels with each call; plain http is for origins in trustedOrigins`,
    );
  }
  return violations;
}

function describe(issue: z.core.$ZodIssue, given: Record<string, unknown>): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path).join(', ');
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return `${path.join('.')} = ${valueAt(given, path)}: no such setting; there are ${known}`;
    });
  }
  return [`${issue.path.join('.')} = ${valueAt(given, issue.path)}: ${issue.message}`];
}

/** The keys that the object at a path may have. */
function knownKeys([setting, ...rest]: readonly PropertyKey[]): string[] {
  if (setting === 'limits')
    return rest.length === 0 ? modelNames : Object.keys(laneLimitsSchema.shape.models.valueType.shape);
  if (setting === 'drop') return Object.keys(dropDefaultsSchema.shape);
  if (setting === 'apiThrottle') return ['rate', 'burst'];
  return settingNames;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>((whole, key) => (isObject(whole) ? whole[String(key)] : undefined), given);
  return value === undefined ? '(missing)' : JSON.stringify(value);
}

function fromCommandLine(key: string, value: unknown): unknown {
  if (typeof value !== 'string' || textSettings.has(key)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A setting is wrong: the message says which, what was given, and what is allowed. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const report = (violations: string[]): string =>
  `The configuration in the CDK context is wrong:\n${violations.map((violation) => `  ${violation}`).join('\n')}`;
