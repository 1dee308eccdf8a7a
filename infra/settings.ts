import * as z from 'zod';
import { ownerName } from '../functions/shared/environment.ts';
import { models, offeredModelNames } from '../functions/wan/catalogue.ts';
import { regionNames } from '../functions/wan/regions.ts';

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

/** Whether a text is an http(s) URL without what a fetch would lose or leak: a query, a fragment, credentials. */
export const isPlainUrl = (text: string): boolean => URL.canParse(text) && /^https?:\/\/[^@?#]+$/.test(text);

/** A value of which everything that can be wrong is told in one sentence: what it must be. */
const worded = <Value>(schema: z.ZodType<Value>, allowed: string) =>
  z.custom<Value>((value) => schema.safeParse(value).success, { error: `must be ${allowed}` });

const oneOf = <const Value extends string | number>(values: readonly Value[]) =>
  worded(z.literal(values), `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`);
const wholeNumber = (least: number, most: number) =>
  worded(z.int().min(least).max(most), `a whole number from ${least} to ${most}`);
const aboveZero = worded(z.number().positive(), 'a number above 0');
const text = worded(z.string().min(1), 'a text that is not empty');

const limitsSchema = z.strictObject(
  {
    /** Per model. */
    submits_per_second: aboveZero.optional(),
    concurrent_tasks: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
  },
  { error: 'must be an object {"submits_per_second": N, "concurrent_tasks": N}, either or both' },
);

const jwtSchema = z.strictObject(
  {
    /** Who signs the tokens, exactly as in their `iss`: a URL, or with `jwksUrl` any name. */
    issuer: text,
    /** Must be in the tokens' `aud`. */
    audience: text,
    /** The claim that names the owner: stable, and never another's. */
    ownerClaim: text.default('sub'),
    /** Where the issuer's public keys are. @default - `<issuer>/.well-known/jwks.json` */
    jwksUrl: worded(
      z.string().refine(isPlainUrl),
      'an http(s) URL without a query, a fragment or credentials',
    ).optional(),
  },
  { error: 'must be an object {"issuer": "…", "audience": "…"}, perhaps with "ownerClaim" and "jwksUrl"' },
);

/** A name between two slashes of a key. */
const folderName = z.string().regex(/^[^/]+$/);

const dropSchema = z.strictObject(
  {
    owner: worded(ownerName, '1 to 64 of A-Z a-z 0-9 . _ @ -, more than dots, and not __proto__').default('drops'),
    /** The cheapest of the models. */
    model: oneOf(offeredModelNames).default('wan2.2-i2v-flash'),
    prompt: worded(z.string(), 'a text').default(
      'The scene comes gently to life; the camera moves slowly and smoothly.',
    ),
    parameters: worded(
      z.record(z.string(), z.unknown()),
      'an object of parameters such as {"resolution": "480P"}',
    ).optional(),
    /** How long an image without a prompt of its own waits for its sidecar. */
    sidecarSeconds: wholeNumber(0, 3600).default(10),
    /** Whether a finished video is copied beside its image, as `<name>.<ext>.mp4`. */
    copyVideo: worded(z.boolean(), 'true or false').default(false),
    /** Whose a drop is: the `owner`'s, that of the top folder's name, or of whom this table of folders names. */
    owners: worded(
      z.union([z.literal(['one', 'folders']), z.record(folderName, ownerName)]),
      '"one", "folders", or an object {"<top folder>": "<owner>"}',
    ).default('one'),
  },
  { error: 'must be an object of what drops become, such as {"owner": "drops", "model": "wan2.2-i2v-flash"}' },
);

/** Every setting there is, by its name: what it may be and what it is when nothing is said. */
export const settingsSchema = z.strictObject({
  /** Where Wan runs; its key must be of the same region. */
  region: oneOf(regionNames).default('singapore'),
  /** Wan's base URL, ending in `/api/v1`. @default - the region's public one */
  wanBaseUrl: worded(
    z.string().refine((url) => URL.canParse(url) && /^https?:\/\/[^@?#]*\/api\/v1$/.test(url)),
    'an http(s) URL that ends in /api/v1, without a last slash, a query or credentials',
  ).optional(),
  /** How Wan gets a private image: from a presigned URL, or through Wan's own temporary upload. @default - `url`; `upload` for Beijing */
  imageTransfer: oneOf(['url', 'upload']).optional(),
  /** What becomes of buckets, table and secret when the stack is deleted. */
  removalPolicy: oneOf(['retain', 'destroy']).default('retain'),
  /** Wan's limits, where the account has others than the documented ones: `{"<model>": {submits_per_second, concurrent_tasks}}`. */
  limits: z
    .partialRecord(z.enum(modelNames), limitsSchema, { error: 'must be an object of limits by the names of models' })
    .default({}),
  /** Permits of a lane above Wan's concurrency, so that a freed place is taken at once. */
  extraPermits: wholeNumber(0, 100).default(2),
  /** Seconds a task usually takes. @default - the catalogue's figure for the model */
  typicalSeconds: aboveZero.optional(),
  /**
   * How long a lost answer is looked for in Wan's task list before the request is sent again, in seconds. A call to Wan lasts up
   * to 75 s, so only an emulator, which ends with this machine's stack, may be given less. At most half of the hour for which the
   * workflow keeps asking.
   */
  uncertainSeconds: worded(z.number().positive().max(1800), 'a number above 0, up to 1800').default(120),
  /**
   * Origins that the Lambdas may fetch from although they are plain http and private. Loopback alone: on a developer's machine
   * that is where the emulator is; in the cloud it is the Lambda itself, so that no value of this setting opens a network.
   */
  trustedOrigins: z
    .array(worded(z.string().refine(isLoopbackOrigin), 'a loopback http origin such as http://127.0.0.1:4401'), {
      error: 'must be a list of loopback http origins such as ["http://127.0.0.1:4401"]',
    })
    .default([]),
  /** What a drop becomes when nothing beside the image says otherwise. */
  drop: dropSchema.prefault({}),
  /** How callers show who they are: with a key of this service, a token of an identity provider, or an AWS signature. */
  auth: oneOf(['api-key', 'jwt', 'iam']).default('api-key'),
  /** Whose tokens are taken, with `auth: jwt`. */
  jwt: jwtSchema.optional(),
  /**
   * What an owner may spend in a calendar month, in the region's currency. `none` leaves it to them. Bounded since amounts are
   * counted in whole millionths, which must stay exact.
   */
  monthlySpendingLimit: worded(
    z.union([z.number().min(0.01).max(1_000_000_000), z.literal('none')]),
    'a number from 0.01 to 1000000000, or "none"',
  ).default(100),
  logRetentionDays: oneOf(retentionDays).default(30),
  /** Who is written to when an alarm rings and when it is over. AWS asks them first whether they want that. @default - nobody: the topic is there to subscribe to */
  alarmEmail: worded(z.email(), 'an e-mail address').optional(),
  /** Requests per second, and at once, over all callers; more is a 429. */
  apiThrottle: z
    .strictObject(
      { rate: aboveZero.default(50), burst: wholeNumber(1, 2_147_483_647).default(100) },
      { error: 'must be an object {"rate": N, "burst": N}, either or both' },
    )
    .prefault({}),
  /**
   * Requests that each of the functions whose callers may wait, `videos` and `submit`, handles at once; more is a 502 with
   * `Retry-After`. It is also what Lambda sets aside for each, out of the account's concurrency of the region.
   * @default - as many as the account has, which one caller who waits a lot can use up
   */
  apiConcurrency: wholeNumber(1, 10_000).optional(),
  /** A web application firewall before the API, which bars an address that asks more often. @default - none: it has a price of its own */
  waf: z
    .strictObject(
      {
        /** Of one IP address, in any five minutes. The bounds are those of AWS WAF. */
        requestsPer5Minutes: wholeNumber(10, 2_000_000_000),
      },
      { error: 'must be an object {"requestsPer5Minutes": N}' },
    )
    .optional(),
});

export type Settings = z.output<typeof settingsSchema>;

/** Every setting's name. */
export const settingNames = Object.keys(settingsSchema.shape);

/** Settings whose value is plain text; on the command line the others are JSON: `-c extraPermits=3`, `-c 'trustedOrigins=["…"]'`. */
export const textSettings = new Set(['region', 'wanBaseUrl', 'imageTransfer', 'removalPolicy', 'auth', 'alarmEmail']);

/** The keys that the object at a path within the settings may have. */
export function knownKeys([setting, ...rest]: readonly PropertyKey[]): string[] {
  switch (setting) {
    case 'limits':
      return rest.length === 0 ? modelNames : Object.keys(limitsSchema.shape);
    case 'drop':
      return Object.keys(dropSchema.shape);
    case 'jwt':
      return Object.keys(jwtSchema.shape);
    case 'apiThrottle':
      return ['rate', 'burst'];
    case 'waf':
      return ['requestsPer5Minutes'];
    default:
      return settingNames;
  }
}
