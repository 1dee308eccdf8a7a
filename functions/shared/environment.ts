import * as z from 'zod';

/** A variable that holds JSON; a broken one is named when the Lambda loads. */
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** How much of Wan's limits a lane may use, per model; models that are not named keep the catalogue's figures. */
const limitSettingsSchema = z.strictObject({
  /** Permits above the documented concurrency, so that a freed place at Wan is taken at once. */
  extra_permits: z.int().min(0).max(100),
  models: z.record(
    z.string(),
    z.strictObject({
      /** Submits per second, per model. */
      submits_per_second: z.number().positive().optional(),
      /** Tasks at once, per model. */
      concurrent_tasks: z.int().positive().optional(),
    }),
  ),
});
export type LimitSettings = z.infer<typeof limitSettingsSchema>;

/** What the secret for Wan's key holds from its deployment until its operator sets it: no key looks like it. */
export const UNSET_SECRET = 'unset';

/**
 * What an owner may be called: nothing that the keys of the table use to separate their parts, that a path leads elsewhere by, or
 * that an object can't have as a member of its own.
 */
export const ownerName = z.string().regex(/^(?!\.\.?$|__proto__$)[A-Za-z0-9._@-]{1,64}$/, {
  error: 'must be 1 to 64 of A-Z a-z 0-9 . _ @ -, more than dots, and not __proto__',
});

/** A host's full name as `URL` writes it: no address, port, wildcard or last dot, and international letters as `xn--…`. */
export const hostName = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/);

/** How callers show who they are; with `iam` the gateway checks that itself. */
export const authSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('api-key') }),
  z.strictObject({
    mode: z.literal('jwt'),
    /** Who signs the tokens: must be their `iss`, which is a URL or a name (RFC 7519, 4.1.1). */
    issuer: z.string().min(1),
    /** Whom they are for: must be in their `aud`. */
    audience: z.string().min(1),
    /** The claim that names the owner. */
    owner_claim: z.string().min(1),
    /** Where the issuer's public keys are. */
    jwks_url: z.url(),
  }),
  z.strictObject({ mode: z.literal('iam') }),
]);
export type Auth = z.infer<typeof authSchema>;

/** What a drop becomes when nothing beside the image says otherwise. */
const dropDefaultsSchema = z.strictObject({
  owner: ownerName,
  model: z.string().min(1),
  prompt: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
});
export type DropDefaults = z.infer<typeof dropDefaultsSchema>;

/** How drops are taken. */
const dropRulesSchema = z.strictObject({
  /** How long an image without a prompt of its own waits for a sidecar: at most as long as SQS delays a message. */
  sidecar_seconds: z.int().min(0).max(900),
  /** Whose drops are: all one owner's (that of the defaults), each top folder's owner of that name, or as this table of folders says. */
  owners: z.union([z.literal(['one', 'folders']), z.record(z.string(), ownerName)]),
});
export type DropRules = z.infer<typeof dropRulesSchema>;

const variables = {
  TABLE_NAME: z.string().min(1),
  UPLOADS_BUCKET: z.string().min(1),
  VIDEOS_BUCKET: z.string().min(1),
  STATE_MACHINE_ARN: z.string().startsWith('arn:'),
  /** ARN of the secret whose whole value is Wan's API key (its name would do as well). */
  WAN_SECRET_ARN: z.string().min(1),
  /** Wan's base URL, ending in `/api/v1`. */
  WAN_BASE_URL: z.url(),
  WAN_REGION: z.enum(['singapore', 'beijing']),
  /** How Wan gets a private image: from a presigned URL, or through Wan's own temporary upload. */
  IMAGE_TRANSFER: z.enum(['url', 'upload']),
  LIMIT_SETTINGS: json(limitSettingsSchema),
  /** How long a lost answer is looked for in Wan's task list before the request is sent again. */
  UNCERTAIN_SECONDS: z.coerce.number().positive(),
  /** Seconds a task usually takes; empty means the catalogue's figure for the model. */
  TYPICAL_SECONDS: z.union([z.literal('').transform(() => undefined), z.coerce.number().positive()]),
  /** Queries about tasks a second, over all functions. */
  WAN_QUERIES_PER_SECOND: z.coerce.number().positive(),
  /** The alias of the watcher function. */
  WATCHER_ARN: z.string().startsWith('arn:'),
  /** Origins that are trusted although they are neither https nor public: loopback addresses, on a developer's machine only. */
  TRUSTED_ORIGINS: json(z.array(z.url())),
  /** Hosts that videos are downloaded from beside those known as Wan's. */
  VIDEO_HOSTS: json(z.array(hostName)),
  DROP_DEFAULTS: json(dropDefaultsSchema),
  DROP_RULES: json(dropRulesSchema),
  /** The queue in which an image waits for its sidecar. */
  DROP_QUEUE_URL: z.url(),
  /** Whether a finished video is copied beside the image that it was made of. */
  COPY_VIDEO_TO_DROP: z.enum(['yes', 'no']).transform((text) => text === 'yes'),
  AUTH: json(authSchema),
  /** What an owner may spend in a calendar month, in the region's currency; empty means as much as they like. */
  MONTHLY_SPENDING_LIMIT: z.union([z.literal('').transform(() => undefined), z.coerce.number().positive()]),
};
type VariableName = keyof typeof variables;

const pick = <Name extends VariableName>(...names: Name[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, variables[name]])) as Pick<typeof variables, Name>);

/** What starting a workflow takes: whoever may dispatch has these. */
const dispatchVariables = ['TABLE_NAME', 'STATE_MACHINE_ARN', 'LIMIT_SETTINGS'] as const;
/** What talking to Wan takes. */
const wanVariables = ['WAN_SECRET_ARN', 'WAN_BASE_URL'] as const;
/** What asking Wan within the rate limit that all functions share takes. */
const rateLimitedWanVariables = ['TABLE_NAME', ...wanVariables, 'WAN_QUERIES_PER_SECOND'] as const;
/** What taking a request takes: it is checked, priced, stored and dispatched. */
const acceptVariables = [
  ...dispatchVariables,
  'UPLOADS_BUCKET',
  'WAN_REGION',
  'TRUSTED_ORIGINS',
  'MONTHLY_SPENDING_LIMIT',
] as const;

/** Each Lambda's environment: parsed once when it loads, and the type of what `infra` must give it. */
export const environments = {
  authorize: pick('TABLE_NAME', 'AUTH', 'TRUSTED_ORIGINS'),
  health: pick('TABLE_NAME'),
  console: pick('WAN_REGION', 'WAN_BASE_URL', 'TRUSTED_ORIGINS'),
  contract: z.object({}),
  catalogue: pick('WAN_REGION', 'UPLOADS_BUCKET', 'TRUSTED_ORIGINS', 'TYPICAL_SECONDS'),
  uploads: pick('UPLOADS_BUCKET'),
  submit: pick(...acceptVariables, 'TYPICAL_SECONDS'),
  videos: pick(
    'TABLE_NAME',
    'VIDEOS_BUCKET',
    'UPLOADS_BUCKET',
    'WAN_REGION',
    'MONTHLY_SPENDING_LIMIT',
    'LIMIT_SETTINGS',
    'TYPICAL_SECONDS',
  ),
  actions: pick(
    ...dispatchVariables,
    ...wanVariables,
    'UPLOADS_BUCKET',
    'VIDEOS_BUCKET',
    'MONTHLY_SPENDING_LIMIT',
    'TYPICAL_SECONDS',
  ),
  dashscope: pick(...acceptVariables, ...wanVariables, 'VIDEOS_BUCKET'),
  drop: pick(...acceptVariables, 'DROP_DEFAULTS', 'DROP_RULES', 'DROP_QUEUE_URL', 'COPY_VIDEO_TO_DROP'),
  dispatch: pick(...dispatchVariables),
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
  'check-task': pick(...dispatchVariables, ...rateLimitedWanVariables, 'TYPICAL_SECONDS'),
  'archive-video': pick(
    ...rateLimitedWanVariables,
    'VIDEOS_BUCKET',
    'WAN_REGION',
    'TRUSTED_ORIGINS',
    'VIDEO_HOSTS',
    'COPY_VIDEO_TO_DROP',
  ),
  'record-failure': pick(...dispatchVariables),
  sweep: pick(...dispatchVariables, 'UPLOADS_BUCKET', 'VIDEOS_BUCKET', 'COPY_VIDEO_TO_DROP', 'DROP_QUEUE_URL'),
  canary: pick(...wanVariables),
} as const;

export type FunctionName = keyof typeof environments;
/** A function's environment, parsed. */
export type Environment<Name extends FunctionName> = z.output<(typeof environments)[Name]>;
/** The variables a function is given, all as strings: what `infra` fills in. */
export type EnvironmentOf<Name extends FunctionName> = Record<keyof z.input<(typeof environments)[Name]>, string>;

/**
 * The parsed environment of a Lambda.
 * @throws Error that names each missing or wrong variable, when the Lambda loads: a deployment mistake shows at once.
 */
export function readEnvironment<Name extends FunctionName>(
  name: Name,
  source: NodeJS.ProcessEnv = process.env,
): Environment<Name> {
  const parsed = environments[name].safeParse(source);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new Error(`The environment of the function ${name} is wrong: ${faults}`);
  }
  return parsed.data as Environment<Name>;
}
