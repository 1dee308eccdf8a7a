import * as z from 'zod';
import { dropDefaultsSchema, laneLimitsSchema } from '../functions/shared/environment.ts';
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

/** An http(s) URL without what a fetch would lose or leak. */
const plainUrl = z.string().refine((text) => URL.canParse(text) && /^https?:\/\/[^@?#]+$/.test(text), {
  error: 'must be an http(s) URL without a query, a fragment or credentials',
});

const jwtSchema = z.strictObject({
  /** Who signs the tokens, exactly as in their `iss`. */
  issuer: plainUrl,
  /** Must be in the tokens' `aud`. */
  audience: z.string().min(1),
  /** The claim that names the owner: stable, and never another's. */
  ownerClaim: z.string().min(1).default('sub'),
  /** Where the issuer's public keys are. @default - `<issuer>/.well-known/jwks.json` */
  jwksUrl: plainUrl.optional(),
});

/** Every setting there is, by its name: what it may be and what it is when nothing is said. */
export const settingsSchema = z.strictObject({
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
  /** How callers show who they are: with a key of this service, a token of an identity provider, or an AWS signature. */
  auth: z.enum(['api-key', 'jwt', 'iam']).default('api-key'),
  /** Whose tokens are taken, with `auth: jwt`. */
  jwt: jwtSchema.optional(),
  /** What an owner may spend in a calendar month, in the region's currency. `none` leaves it to them. */
  monthlySpendingLimit: z
    .union([z.number().positive(), z.literal('none')], { error: 'must be a number above 0, or "none"' })
    .default(100),
  logRetentionDays: z.literal(retentionDays).default(30),
  /** Requests per second, and at once, over all callers; more is a 429. */
  apiThrottle: z
    .strictObject({ rate: z.number().positive().default(50), burst: z.int().positive().default(100) })
    .prefault({}),
  /** A web application firewall before the API, which bars an address that asks more often. @default - none: it has a price of its own */
  waf: z
    .strictObject({
      /** Of one IP address, in any five minutes. The bounds are those of AWS WAF. */
      requestsPer5Minutes: z.int().min(10).max(2_000_000_000),
    })
    .optional(),
});

export type Settings = z.output<typeof settingsSchema>;

/** Every setting's name. */
export const settingNames = Object.keys(settingsSchema.shape);

/** Settings whose value is plain text; on the command line the others are JSON: `-c extraPermits=3`, `-c 'trustedOrigins=["…"]'`. */
export const textSettings = new Set(['region', 'wanBaseUrl', 'imageTransfer', 'removalPolicy', 'auth']);

/** The keys that the object at a path within the settings may have. */
export function knownKeys([setting, ...rest]: readonly PropertyKey[]): string[] {
  switch (setting) {
    case 'limits':
      return rest.length === 0 ? modelNames : Object.keys(laneLimitsSchema.shape.models.valueType.shape);
    case 'drop':
      return Object.keys(dropDefaultsSchema.shape);
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
