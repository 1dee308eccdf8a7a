import * as z from 'zod';

/** A variable that holds JSON. */
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** Overrides of the model queues' limits. Models that are not listed use the catalogue's limits. */
const limitSettingsSchema = z.strictObject({
  /** Permits in addition to Wan's concurrency, so that a freed slot at Wan is used immediately. */
  extra_permits: z.int().min(0).max(100),
  models: z.record(
    z.string(),
    z.strictObject({
      /** Submissions per second. */
      submits_per_second: z.number().positive().optional(),
      /** Concurrent tasks at Wan. */
      concurrent_tasks: z.int().positive().optional(),
    }),
  ),
});
export type LimitSettings = z.infer<typeof limitSettingsSchema>;

/** The value of the secret until the operator stores Wan's key. */
export const UNSET_SECRET = 'unset';

/** The rule of owner names, as the end of a sentence. */
export const ownerNameRule = '1 to 64 of A-Z a-z 0-9 . _ @ -, and not ".", ".." or "__proto__"';

/**
 * A valid owner name. Excludes the separator of table keys, the path segments `.` and `..`, and `__proto__`.
 */
export const ownerName = z.string().regex(/^(?!\.\.?$|__proto__$)[A-Za-z0-9._@-]{1,64}$/, {
  error: `must be ${ownerNameRule}`,
});

/** A fully qualified host name as `URL` normalizes it: no IP address, port, wildcard or trailing dot; Punycode for international names. */
export const hostName = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/);

/** How callers authenticate. With `iam`, API Gateway checks the signature. */
export const authSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('api-key') }),
  z.strictObject({
    mode: z.literal('jwt'),
    /** The required `iss` of tokens: a URL or a name (RFC 7519, 4.1.1). */
    issuer: z.string().min(1),
    /** Must be in the `aud` of tokens. */
    audience: z.string().min(1),
    /** The claim with the owner's name. */
    owner_claim: z.string().min(1),
    /** URL of the issuer's public keys. */
    jwks_url: z.url(),
  }),
  z.strictObject({ mode: z.literal('iam') }),
]);
export type Auth = z.infer<typeof authSchema>;

/** The deployment's default settings of drops. */
const dropDefaultsSchema = z.strictObject({
  owner: ownerName,
  model: z.string().min(1),
  prompt: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
});
export type DropDefaults = z.infer<typeof dropDefaultsSchema>;

/** How drops are accepted. */
const dropRulesSchema = z.strictObject({
  /** How long an image without a prompt waits for its sidecar; at most SQS's maximum delay. */
  sidecar_seconds: z.int().min(0).max(900),
  /** The owner of a drop: `one` is the defaults' owner, `folders` the top folder's name; a record maps folders to owners. */
  owners: z.union([z.literal(['one', 'folders']), z.record(z.string(), ownerName)]),
});
export type DropRules = z.infer<typeof dropRulesSchema>;

/** A number of days; empty means no limit. */
const days = z.union([z.literal('').transform(() => undefined), z.coerce.number().int().positive()]);
/** How many requests an owner may send. */
const requestRateSchema = z.strictObject({
  per_second: z.number().positive(),
  /** Requests without a pause between them. */
  burst: z.int().positive(),
});
export type RequestRate = z.infer<typeof requestRateSchema>;

/** How many requests may be kept open: each occupies an execution of a function for as long as it waits. */
const longPollsSchema = z.strictObject({ per_owner: z.int().min(0), total: z.int().min(0) });
export type LongPollLimits = z.infer<typeof longPollsSchema>;

const variables = {
  TABLE_NAME: z.string().min(1),
  /** The bus that status changes are published on. */
  EVENT_BUS_NAME: z.string().min(1),
  UPLOADS_BUCKET: z.string().min(1),
  VIDEOS_BUCKET: z.string().min(1),
  STATE_MACHINE_ARN: z.string().startsWith('arn:'),
  /** ARN or name of the secret whose whole value is Wan's API key. */
  WAN_SECRET_ARN: z.string().min(1),
  /** ARN of the secret that signs links to files. */
  FILE_LINK_SECRET_ARN: z.string().min(1),
  /** Wan's base URL, ending in `/api/v1`. */
  WAN_BASE_URL: z.url(),
  WAN_REGION: z.enum(['singapore', 'beijing', 'virginia', 'hongkong', 'frankfurt']),
  /** Prices of the deployment's own per second, by model and resolution, in the region's currency. */
  MODEL_PRICES: json(z.record(z.string(), z.record(z.string(), z.number().positive()))),
  /** Whether every video has the visible watermark, or those whose request wants it. */
  WATERMARK: z.enum(['requested', 'always']),
  /** What the file `catalogue.json` changes in the catalogue of models, by name. */
  CATALOGUE: json(z.record(z.string(), z.record(z.string(), z.unknown()))),
  /** How Wan gets stored media: from presigned URLs, or from Wan's temporary storage. */
  IMAGE_TRANSFER: z.enum(['url', 'upload']),
  LIMIT_SETTINGS: json(limitSettingsSchema),
  /** How long a task whose response was lost is searched for before the request is sent again. */
  UNCERTAIN_SECONDS: z.coerce.number().positive(),
  /** Typical duration of a task in seconds; empty means the catalogue's. */
  TYPICAL_SECONDS: z.union([z.literal('').transform(() => undefined), z.coerce.number().positive()]),
  /** Queries to Wan per second, across all functions. */
  WAN_QUERIES_PER_SECOND: z.coerce.number().positive(),
  /** ARN of the watcher function's alias. */
  WATCHER_ARN: z.string().startsWith('arn:'),
  /** Origins that need be neither HTTPS nor public: loopback addresses, for local development only. */
  TRUSTED_ORIGINS: json(z.array(z.url())),
  /** Whether images are accepted that only their EXIF orientation turns upright. */
  ROTATED_IMAGES: z.enum(['accept', 'refuse']),
  /** Hosts of videos in addition to the known hosts of Wan. */
  VIDEO_HOSTS: json(z.array(hostName)),
  DROP_DEFAULTS: json(dropDefaultsSchema),
  DROP_RULES: json(dropRulesSchema),
  /** The queue in which an image waits for its sidecar. */
  DROP_QUEUE_URL: z.url(),
  /** Whether a drop's finished video is copied next to its image. */
  COPY_VIDEO_TO_DROP: z.enum(['yes', 'no']).transform((text) => text === 'yes'),
  /** The queue of deliveries of webhooks. */
  WEBHOOK_QUEUE_URL: z.url(),
  /** The queue of deliveries to receivers that failed last or are slow. */
  SLOW_WEBHOOK_QUEUE_URL: z.url(),
  /** ARN of the secret from which the owners' signing secrets are derived. */
  WEBHOOK_SECRET_ARN: z.string().min(1),
  /** Whether webhooks may go to this computer, over http: for local development only. */
  LOOPBACK_WEBHOOKS: z.enum(['yes', 'no']).transform((text) => text === 'yes'),
  AUTH: json(authSchema),
  /** How many days files of videos are kept; empty means until they are deleted. */
  VIDEO_RETENTION_DAYS: days,
  /** How many days objects of the drop folder are kept; empty means until they are deleted. */
  DROP_RETENTION_DAYS: days,
  REQUEST_RATE: json(requestRateSchema),
  LONG_POLLS: json(longPollsSchema),
  /** Origins whose pages may call the API, or `*`. */
  CORS: json(z.array(z.string().min(1))),
  /** The methods of each route, by its path. */
  ROUTE_METHODS: json(z.record(z.string(), z.array(z.string()))),
  /** What an owner may spend in a calendar month, in the region's currency; empty means no limit. */
  MONTHLY_SPENDING_LIMIT: z.union([z.literal('').transform(() => undefined), z.coerce.number().positive()]),
};
type VariableName = keyof typeof variables;

const pick = <Name extends VariableName>(...names: Name[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, variables[name]])) as Pick<typeof variables, Name>);

/** For dispatch. */
const dispatchVariables = ['TABLE_NAME', 'EVENT_BUS_NAME', 'STATE_MACHINE_ARN', 'LIMIT_SETTINGS', 'CATALOGUE'] as const;
/** For calls to Wan. */
const wanVariables = ['WAN_SECRET_ARN', 'WAN_BASE_URL'] as const;
/** For calls to Wan within the rate limit that all functions share. */
const rateLimitedWanVariables = ['TABLE_NAME', ...wanVariables, 'WAN_QUERIES_PER_SECOND'] as const;
/** For the models that are offered, and their prices. */
const deploymentVariables = ['WAN_REGION', 'WAN_BASE_URL', 'MODEL_PRICES', 'WATERMARK', 'CATALOGUE'] as const;
/** For accepting a request. */
const acceptVariables = [
  ...dispatchVariables,
  'UPLOADS_BUCKET',
  ...deploymentVariables,
  'TRUSTED_ORIGINS',
  'ROTATED_IMAGES',
  'MONTHLY_SPENDING_LIMIT',
  'LOOPBACK_WEBHOOKS',
] as const;

/** For keeping the rate of an owner's requests. */
const ownerVariables = ['TABLE_NAME', 'REQUEST_RATE', 'CORS'] as const;

/** The environment of each function: parsed when it loads, and the type of what `infra` must set. */
export const environments = {
  authorize: pick('TABLE_NAME', 'AUTH', 'TRUSTED_ORIGINS'),
  health: pick('TABLE_NAME', 'CORS'),
  console: pick(...deploymentVariables, 'TRUSTED_ORIGINS'),
  contract: pick('CORS', 'ROUTE_METHODS'),
  catalogue: pick(
    ...ownerVariables,
    ...deploymentVariables,
    'UPLOADS_BUCKET',
    'TRUSTED_ORIGINS',
    'ROTATED_IMAGES',
    'TYPICAL_SECONDS',
    'LOOPBACK_WEBHOOKS',
  ),
  uploads: pick(...ownerVariables, 'UPLOADS_BUCKET'),
  submit: pick(...acceptVariables, ...ownerVariables, 'LONG_POLLS', 'TYPICAL_SECONDS'),
  videos: pick(
    ...ownerVariables,
    'LONG_POLLS',
    'VIDEOS_BUCKET',
    'UPLOADS_BUCKET',
    'WAN_REGION',
    'MONTHLY_SPENDING_LIMIT',
    'LIMIT_SETTINGS',
    'CATALOGUE',
    'TYPICAL_SECONDS',
  ),
  actions: pick(
    ...dispatchVariables,
    ...ownerVariables,
    ...wanVariables,
    'UPLOADS_BUCKET',
    'VIDEOS_BUCKET',
    'MONTHLY_SPENDING_LIMIT',
    'TYPICAL_SECONDS',
    'VIDEO_RETENTION_DAYS',
  ),
  webhooks: pick(...ownerVariables, 'WEBHOOK_QUEUE_URL', 'WEBHOOK_SECRET_ARN', 'LOOPBACK_WEBHOOKS'),
  dashscope: pick(
    ...acceptVariables,
    ...ownerVariables,
    ...wanVariables,
    'LONG_POLLS',
    'VIDEOS_BUCKET',
    'VIDEO_RETENTION_DAYS',
    'FILE_LINK_SECRET_ARN',
  ),
  drop: pick(
    ...acceptVariables,
    'DROP_DEFAULTS',
    'DROP_RULES',
    'DROP_QUEUE_URL',
    'COPY_VIDEO_TO_DROP',
    'VIDEO_RETENTION_DAYS',
  ),
  dispatch: pick(...dispatchVariables, 'WEBHOOK_QUEUE_URL'),
  deliver: pick('TABLE_NAME', 'SLOW_WEBHOOK_QUEUE_URL', 'WEBHOOK_SECRET_ARN', 'LOOPBACK_WEBHOOKS'),
  'create-task': pick(
    ...dispatchVariables,
    ...rateLimitedWanVariables,
    'WATCHER_ARN',
    'UPLOADS_BUCKET',
    'WAN_REGION',
    'IMAGE_TRANSFER',
    'TYPICAL_SECONDS',
    'UNCERTAIN_SECONDS',
    'MONTHLY_SPENDING_LIMIT',
  ),
  watch: pick(...rateLimitedWanVariables),
  'check-task': pick(...dispatchVariables, ...rateLimitedWanVariables, 'TYPICAL_SECONDS', 'VIDEO_RETENTION_DAYS'),
  'archive-video': pick(
    ...rateLimitedWanVariables,
    'EVENT_BUS_NAME',
    'VIDEOS_BUCKET',
    'WAN_REGION',
    'MODEL_PRICES',
    'WATERMARK',
    'CATALOGUE',
    'TRUSTED_ORIGINS',
    'VIDEO_HOSTS',
    'COPY_VIDEO_TO_DROP',
    'VIDEO_RETENTION_DAYS',
  ),
  'record-failure': pick(...dispatchVariables, 'VIDEO_RETENTION_DAYS'),
  sweep: pick(
    ...dispatchVariables,
    'UPLOADS_BUCKET',
    'VIDEOS_BUCKET',
    'COPY_VIDEO_TO_DROP',
    'DROP_QUEUE_URL',
    'DROP_RETENTION_DAYS',
  ),
  canary: pick(...wanVariables),
} as const;

export type FunctionName = keyof typeof environments;
/** A function's environment, parsed. */
export type Environment<Name extends FunctionName> = z.output<(typeof environments)[Name]>;
/** The environment of a function as strings, which `infra` sets. */
export type EnvironmentOf<Name extends FunctionName> = Record<keyof z.input<(typeof environments)[Name]>, string>;

/**
 * Parses the environment of a function.
 * @throws Error that names each missing or invalid variable
 */
export function readEnvironment<Name extends FunctionName>(
  name: Name,
  source: NodeJS.ProcessEnv = process.env,
): Environment<Name> {
  const parsed = environments[name].safeParse(source);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new Error(`Invalid environment of the function ${name}: ${issues}`);
  }
  return parsed.data as Environment<Name>;
}
