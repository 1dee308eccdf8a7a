import * as z from 'zod';
import { hostName, ownerName, ownerNameRule } from '../functions/shared/environment.ts';
import { models, resolutionNames } from '../functions/wan/catalogue.ts';
import { regionNames } from '../functions/wan/regions.ts';

/** The retention periods that CloudWatch Logs accepts, in days. */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'];
export const isLoopbackOrigin = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.origin === text && url.protocol === 'http:' && loopbackHosts.includes(url.hostname);
};
const isOriginOrAny = (text: string): boolean =>
  text === '*' || (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text);
const modelNames = models.map(({ name }) => name);

/** Whether a text is an http(s) URL without what a fetch would lose or leak: a query, a fragment, credentials. */
export const isPlainUrl = (text: string): boolean => URL.canParse(text) && /^https?:\/\/[^@?#]+$/.test(text);

/** A value whose only error message is what it must be. */
const describedAs = <Value>(schema: z.ZodType<Value>, allowed: string) =>
  z.custom<Value>((value) => schema.safeParse(value).success, { error: `must be ${allowed}` });

const oneOf = <const Value extends string | number>(values: readonly Value[]) =>
  describedAs(z.literal(values), `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`);
const wholeNumber = (min: number, max: number) =>
  describedAs(z.int().min(min).max(max), `a whole number from ${min} to ${max}`);
const aboveZero = describedAs(z.number().positive(), 'a number above 0');
const text = describedAs(z.string().min(1), 'a non-empty string');

const limitsSchema = z.strictObject(
  {
    submits_per_second: aboveZero.optional().meta({
      description: 'How many tasks of the model may be submitted per second.',
      otherwise: 'the documented one',
    }),
    concurrent_tasks: wholeNumber(1, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'How many tasks of the model Wan runs concurrently.', otherwise: 'the documented one' }),
  },
  { error: 'must be an object {"submits_per_second": N, "concurrent_tasks": N}, either or both' },
);

const jwtSchema = z.strictObject(
  {
    issuer: text.meta({
      description: 'The issuer of the tokens, exactly as in their `iss`: a URL, or with `jwksUrl` any name.',
    }),
    audience: text.meta({ description: "Must be in the tokens' `aud`." }),
    ownerClaim: text
      .default('sub')
      .meta({ description: 'The claim that names the owner. It must be stable and never reused.' }),
    jwksUrl: describedAs(z.string().refine(isPlainUrl), 'an http(s) URL without a query, a fragment or credentials')
      .optional()
      .meta({
        description: "The URL of the issuer's public keys.",
        otherwise: '`<issuer>/.well-known/jwks.json`',
      }),
  },
  { error: 'must be an object {"issuer": "…", "audience": "…"}, optionally with "ownerClaim" and "jwksUrl"' },
);

const domainSchema = z.strictObject(
  {
    name: describedAs(hostName, 'the name of a host in lower case, such as videos.example.com').meta({
      description: 'The domain name. Point it to the output `DomainTarget`.',
    }),
    certificateArn: describedAs(
      z.string().regex(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]+$/),
      'the ARN of a certificate of AWS Certificate Manager: arn:aws:acm:REGION:ACCOUNT:certificate/ID',
    ).meta({ description: 'An issued certificate for the name, in the region of the deployment.' }),
    basePath: describedAs(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), '1 to 64 letters, digits, hyphens and underscores')
      .optional()
      .meta({
        description: 'The first segment of all paths below the domain.',
        otherwise: 'none: `https://NAME/videos`',
      }),
  },
  { error: 'must be an object {"name": "…", "certificateArn": "…"}, optionally with "basePath"' },
);

const days = wholeNumber(1, 36_500);
const retentionSchema = z.strictObject(
  {
    videos: days.optional().meta({
      description:
        'Archived videos, from their end. Their content then gets a 410. 30 days later the record of a video that the API created is deleted too.',
      otherwise: 'until they are deleted',
    }),
    inputs: days.optional().meta({
      description:
        'Images and audio that belong to a video, from the request. A video that still waits for Wan by then fails with `image_gone`.',
      otherwise: 'until their video is deleted; with `retention.videos`, 30 days longer than that',
    }),
    drops: days.optional().meta({
      description:
        'Everything in the drop folder, results included, from its upload. Settings files of folders and models (`_defaults.json`) are kept.',
      otherwise: 'until you delete them',
    }),
  },
  { error: 'must be an object {"videos": N, "inputs": N, "drops": N}, each optional' },
);

/** One segment of an object key. */
const folderName = z.string().regex(/^[^/]+$/);

const dropSchema = z.strictObject(
  {
    owner: describedAs(ownerName, ownerNameRule).default('drops').meta({ description: 'The owner of drops.' }),
    model: oneOf(modelNames)
      .default('wan2.2-i2v-flash')
      .meta({ description: 'The model. The default is the cheapest one.' }),
    prompt: describedAs(z.string(), 'a string')
      .default('The scene comes gently to life; the camera moves slowly and smoothly.')
      .meta({ description: 'The prompt of an image that has none.' }),
    parameters: describedAs(z.record(z.string(), z.unknown()), 'an object of parameters such as {"resolution": "480P"}')
      .optional()
      .meta({ description: 'The parameters, for drops with this model.', otherwise: "the model's own defaults" }),
    sidecarSeconds: wholeNumber(0, 900)
      .default(10)
      .meta({ description: 'How many seconds an image without a prompt waits for its sidecar.' }),
    copyVideo: describedAs(z.boolean(), 'true or false')
      .default(false)
      .meta({ description: 'Whether a finished video is copied next to its image, as `<image>.mp4`.' }),
    owners: describedAs(
      z.union([z.literal(['one', 'folders']), z.record(folderName, ownerName)]),
      '"one", "folders", or an object {"<top folder>": "<owner>"}',
    )
      .default('one')
      .meta({
        description:
          'The owner of a drop: the one in `owner`, the name of its top folder, or the one that this table has for its top folder.',
      }),
  },
  { error: 'must be an object of settings of drops, such as {"owner": "drops", "model": "wan2.2-i2v-flash"}' },
);

/** Every setting by name, with its allowed values and its default. */
export const settingsSchema = z.strictObject({
  // The bound leaves room for the suffixes of names in the stack: a state machine's has at most 80 characters.
  stackName: describedAs(
    z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/),
    '1 to 64 letters, digits and hyphens, and start with a letter',
  )
    .default('firstframe')
    .meta({
      description:
        'The name of the stack. Another name is another deployment, also in the same account and region: all names and metrics contain it.',
    }),
  region: oneOf(regionNames)
    .default('singapore')
    .meta({ description: 'The region where Wan runs. A Wan key is valid in one region only.' }),
  wanBaseUrl: describedAs(
    z.string().refine((url) => URL.canParse(url) && /^https?:\/\/[^@?#]*\/api\/v1$/.test(url)),
    'an http(s) URL that ends in /api/v1, without a trailing slash, a query or credentials',
  )
    .optional()
    .meta({
      description: 'Another base URL of Model Studio.',
      otherwise: "the workspace's, or the region's public one",
    }),
  workspaceId: describedAs(
    z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/),
    "a workspace's id: 1 to 63 letters, digits and hyphens",
  )
    .optional()
    .meta({
      description:
        'The id of a workspace of Model Studio, whose own domain Wan is then called at. Models of Wan 3.0 need one. The key must belong to the workspace.',
      otherwise: "none: the region's public domain",
    }),
  prices: z
    .partialRecord(
      z.enum(modelNames),
      z.partialRecord(z.enum(resolutionNames), aboveZero, {
        error: 'must be an object of prices by resolution such as {"720P": 0.1}',
      }),
      { error: 'must be an object of prices by model' },
    )
    .default({})
    .meta({
      description:
        "Prices of one billed second by model and resolution, in the region's currency, in place of the known ones. A model without a price for each of its resolutions is not offered.",
    }),
  watermark: oneOf(['requested', 'always']).default('requested').meta({
    description:
      'Which videos have the visible "AI Generated" in a corner: those whose request sets `watermark`, or `always` all. With `always`, a request that sets it to false is refused; on the DashScope routes it is changed, with a warning.',
  }),
  imageTransfer: oneOf(['url', 'upload']).optional().meta({
    description: "How Wan receives a private image: by a presigned URL, or through Wan's own temporary upload.",
    otherwise: '`url`; `upload` for Beijing, always',
  }),
  rotatedImages: oneOf(['accept', 'refuse']).default('accept').meta({
    description:
      'What happens to an image that only its EXIF orientation turns upright: `accept` adds a warning to the video, `refuse` answers with an issue that explains how to save it upright. Wan does not document whether it follows the orientation.',
  }),
  removalPolicy: oneOf(['retain', 'destroy']).default('retain').meta({
    description:
      'What happens to buckets, table and secret when the stack is deleted. With `retain` they stay, and a new deployment creates new, empty ones. With `destroy` they are deleted, but CloudFormation cannot delete a bucket that has objects, versions or delete markers: empty it first, as in [deploy.md](deploy.md#teardown).',
  }),
  limits: z
    .partialRecord(z.enum(modelNames), limitsSchema, { error: 'must be an object of limits by model' })
    .default({})
    .meta({
      description: "Wan's limits by model, for an account whose limits differ from the documented ones:",
    }),
  extraPermits: wholeNumber(0, 100).default(2).meta({
    description:
      'Tasks that a model may have at Wan above its concurrency, so that a free slot is used immediately. Two are enough for tasks that take minutes. Tasks of one second need twelve; a burst of them also needs about three queries per task, so with the default `wanQueriesPerSecond` hundreds of them take longer.',
  }),
  wanQueriesPerSecond: wholeNumber(1, 20).default(10).meta({
    description:
      'Queries about tasks per second. Wan allows an account 20, which other deployments and programs may share. A burst of very short tasks needs about three queries per task, so with the default hundreds of one-second tasks take longer. In `npm run bench -- burst`, 1,000 of them take 204 s with 18 queries per second and 320 s with 10.',
  }),
  typicalSeconds: aboveZero.optional().meta({
    description: 'The usual duration of a task in seconds, until it has been learned.',
    otherwise: "the catalogue's value for the model",
  }),
  /**
   * A call to Wan lasts up to 75 s, so only the emulator, which ends with this machine's stack, may have less. At most half of the
   * hour for which the workflow retries.
   */
  uncertainSeconds: describedAs(z.number().positive().max(1800), 'a number above 0, up to 1800').default(120).meta({
    description:
      "How long a lost response is searched for in Wan's task list before the request is submitted again, in seconds.",
  }),
  cors: z
    .array(describedAs(z.string().refine(isOriginOrAny), 'an origin such as https://app.example, or *'), {
      error: 'must be a list of origins such as ["https://app.example"]',
    })
    .default([])
    .meta({
      description:
        "Origins whose pages may call the API from a browser and fetch videos; `*` means all. The gateway's own errors cannot depend on the origin: with several origins every page may read them. They contain nothing of the caller.",
    }),
  /**
   * Private plain-http origins that the functions may fetch from. Only loopback: on a developer's machine the emulator is there; in
   * the cloud it is the function itself, so no value of this setting opens a network.
   */
  trustedOrigins: z
    .array(describedAs(z.string().refine(isLoopbackOrigin), 'a loopback http origin such as http://127.0.0.1:4401'), {
      error: 'must be a list of loopback http origins such as ["http://127.0.0.1:4401"]',
    })
    .default([])
    .meta({ description: "Loopback origins that the functions may fetch from. Only for a developer's machine." }),
  loopbackWebhooks: describedAs(z.boolean(), 'true or false').default(false).meta({
    description: "Whether webhooks may go to the functions' own computer, over http. Only for a developer's machine.",
  }),
  videoHosts: z
    .array(
      describedAs(
        hostName,
        'the exact name of a host in lower case, such as dashscope-result-sgp.oss-ap-southeast-1.aliyuncs.com, without a scheme, a port or a wildcard',
      ),
      { error: 'must be a list of host names such as ["dashscope-result-sgp.oss-ap-southeast-1.aliyuncs.com"]' },
    )
    .default([])
    .meta({
      description:
        "Exact names of hosts, in addition to Wan's known hosts, from which finished videos may be downloaded. When Wan's link points to any other host, an alarm rings and the log of `archive-video` names it; `npm run catalogue -- host add` trusts it without a deploy.",
    }),
  drop: dropSchema.prefault({}).meta({ description: 'Defaults for drops that have no settings of their own:' }),
  auth: oneOf(['api-key', 'jwt', 'iam']).default('api-key').meta({
    description:
      'How callers authenticate: with an API key of this service, a token of an identity provider, or an AWS signature (without the console).',
  }),
  jwt: jwtSchema.optional().meta({ description: 'The identity provider, with `auth: jwt`:', otherwise: '–' }),
  // Bounded since amounts are counted in whole millionths, which must stay exact.
  monthlySpendingLimit: describedAs(
    z.union([z.number().min(0.01).max(1_000_000_000), z.literal('none')]),
    'a number from 0.01 to 1000000000, or "none"',
  )
    .default(100)
    .meta({ description: "What an owner may spend in a calendar month, in the region's currency." }),
  logRetentionDays: oneOf(retentionDays).default(30).meta({ description: 'How long logs are kept.' }),
  alarmEmail: describedAs(z.email(), 'an e-mail address').optional().meta({
    description: 'The address that receives alarms. AWS sends it a confirmation request first.',
    otherwise: 'none: subscribe to the topic yourself',
  }),
  ownerThrottle: z
    .strictObject(
      {
        // DynamoDB writes an item at most 1,000 times per second.
        rate: wholeNumber(1, 1000).default(50).meta({ description: 'Requests per second.' }),
        burst: wholeNumber(1, 10_000).default(100).meta({ description: 'Requests in a burst.' }),
      },
      { error: 'must be an object {"rate": N, "burst": N}, either or both' },
    )
    .prefault({})
    .meta({
      description: 'The limit of each owner over all routes; requests above it get a 429 with `Retry-After`:',
    }),
  longPolls: z
    .strictObject(
      {
        perOwner: wholeNumber(0, 1000).default(10).meta({ description: 'Requests of an owner that may wait.' }),
        total: wholeNumber(0, 10_000).optional().meta({
          description:
            "Requests of all owners that may wait. Keep it at a third of the account's concurrent executions or below, so that the workflow and other requests always have some: 1 on a new account, which has 10. `npm run doctor` compares them.",
          otherwise: 'half of `apiConcurrency` if that is set, otherwise 50',
        }),
      },
      { error: 'must be an object {"perOwner": N, "total": N}, either or both' },
    )
    .prefault({})
    .meta({
      description:
        'How many requests may wait at the same time (`?wait=`, `Prefer: wait=`). Each occupies an execution of a function for up to 25 s; above the limit the current state is returned immediately, with `Retry-After`:',
    }),
  apiThrottle: z
    .strictObject(
      {
        rate: aboveZero.default(500).meta({ description: 'Requests per second.' }),
        burst: wholeNumber(1, 2_147_483_647).default(1000).meta({ description: 'Requests in a burst.' }),
      },
      { error: 'must be an object {"rate": N, "burst": N}, either or both' },
    )
    .prefault({})
    .meta({
      description:
        "The limit of each route over all callers, which bounds the costs of a flood; requests above it get a 429. Keep it well above `ownerThrottle`: requests that are refused for their owner's limit count, so a smaller value lets one owner use up all of it. On a new account, which has 10 concurrent executions, 100:",
    }),
  apiConcurrency: wholeNumber(1, 10_000).optional().meta({
    description:
      "Reserved concurrency of the functions `videos` and `submit`, each; requests above it get a 502 with `Retry-After`. Twice this number is taken from the account's concurrency of the region, and Lambda requires that 100 are left: a deployment fails on a new account, which has 10. `npm run doctor` compares them.",
    otherwise: 'not reserved: all functions share the concurrency of the account',
  }),
  waf: z
    .strictObject(
      {
        // The bounds are those of AWS WAF.
        requestsPer5Minutes: wholeNumber(10, 2_000_000_000).meta({
          description: 'Requests of one IP address in any five minutes.',
        }),
      },
      { error: 'must be an object {"requestsPer5Minutes": N}' },
    )
    .optional()
    .meta({
      description: 'A web application firewall in front of the API, which blocks an address that sends more:',
      otherwise: 'none: it has its own price',
    }),
  domain: domainSchema.optional().meta({
    description: 'A domain name of your own for the API and the console, see [deploy.md](deploy.md#your-own-domain):',
    otherwise: 'none: the address of API Gateway',
  }),
  kmsKeyArn: describedAs(
    z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/),
    'the ARN of a key, not of an alias: arn:aws:kms:REGION:ACCOUNT:key/ID',
  )
    .optional()
    .meta({
      description:
        'Your symmetric KMS key, in the region of the deployment, for the buckets, the table, the queues, the secret, the alarms and the logs. Its policy must have the statements in [deploy.md](deploy.md#your-own-key) before the deployment.',
      otherwise: 'keys of AWS, and one of the stack for alarms',
    }),
  permissionsBoundary: describedAs(
    z.string().regex(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/),
    'the ARN of a managed policy: arn:aws:iam::ACCOUNT:policy/NAME',
  )
    .optional()
    .meta({ description: 'The permissions boundary of every role.', otherwise: 'none' }),
  tags: describedAs(
    z
      .record(
        z.string().regex(/^(?!aws:)[\p{L}\p{N} _.:/=+@-]{1,128}$/iu),
        z.string().regex(/^[\p{L}\p{N} _.:/=+@-]{0,256}$/u),
      )
      .refine((tags) => Object.keys(tags).length <= 40),
    'an object of at most 40 tags such as {"team": "media"}: letters, digits, spaces and _.:/=+@-, and no key that starts with "aws:"',
  )
    .optional()
    .meta({ description: 'Tags of the stack and of every resource that can have tags.', otherwise: 'none' }),
  accessLogBucket: describedAs(
    z.string().regex(/^(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]$/),
    'the name of a bucket',
  )
    .optional()
    .meta({
      description:
        "An existing bucket in the same account and region that receives S3's server access logs of both buckets, below `<stack name>/`. Its policy must allow that, see [deploy.md](deploy.md#access-logs).",
      otherwise: 'none',
    }),
  retention: retentionSchema.prefault({}).meta({
    description: 'After how many days files are deleted, see [deploy.md](deploy.md#retention):',
  }),
  dashboard: describedAs(z.boolean(), 'true or false')
    .default(true)
    .meta({ description: 'Whether the stack has a CloudWatch dashboard, which costs $3 a month.' }),
});

export type Settings = z.output<typeof settingsSchema>;

/** Every setting's name. */
export const settingNames = Object.keys(settingsSchema.shape);

/**
 * Settings whose value is plain text; on the command line the others are JSON: `-c extraPermits=3`, `-c 'trustedOrigins=["…"]'`.
 */
export const textSettings = new Set([
  'stackName',
  'region',
  'wanBaseUrl',
  'workspaceId',
  'watermark',
  'imageTransfer',
  'rotatedImages',
  'removalPolicy',
  'auth',
  'alarmEmail',
  'kmsKeyArn',
  'permissionsBoundary',
  'accessLogBucket',
]);

/** The keys that the object at a path within the settings may have. */
export function knownKeys([setting, ...rest]: readonly PropertyKey[]): string[] {
  switch (setting) {
    case 'limits':
      return rest.length === 0 ? modelNames : Object.keys(limitsSchema.shape);
    case 'prices':
      return rest.length === 0 ? modelNames : [...resolutionNames];
    case 'drop':
      return Object.keys(dropSchema.shape);
    case 'jwt':
      return Object.keys(jwtSchema.shape);
    case 'apiThrottle':
    case 'ownerThrottle':
      return ['rate', 'burst'];
    case 'longPolls':
      return ['perOwner', 'total'];
    case 'waf':
      return ['requestsPer5Minutes'];
    case 'domain':
      return Object.keys(domainSchema.shape);
    case 'retention':
      return Object.keys(retentionSchema.shape);
    default:
      return settingNames;
  }
}
