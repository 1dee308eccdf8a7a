import type * as z from 'zod';
import type { Auth, LimitSettings } from '../functions/shared/environment.ts';
import { regions } from '../functions/wan/regions.ts';
import { contradictions } from './contradictions.ts';
import { knownKeys, type Settings, settingNames, settingsSchema, textSettings } from './settings.ts';

export { settingNames };

/** A deployment's settings, checked, every default filled in. */
export interface Configuration
  extends Omit<
    Settings,
    'wanBaseUrl' | 'imageTransfer' | 'limits' | 'extraPermits' | 'auth' | 'jwt' | 'monthlySpendingLimit'
  > {
  readonly wanBaseUrl: string;
  readonly imageTransfer: 'url' | 'upload';
  readonly limitSettings: LimitSettings;
  readonly auth: Auth;
  /** Undefined: none. */
  readonly monthlySpendingLimit: number | undefined;
}

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
  if (!isObject(firstframe) || Array.isArray(firstframe))
    throw new ConfigurationError(report([`firstframe = ${JSON.stringify(firstframe)}: must be an object of settings`]));

  const given = {
    ...firstframe,
    ...Object.fromEntries(single.map(([key, value]) => [key, fromCommandLine(key, value)])),
  };
  const parsed = settingsSchema.safeParse(given);
  const issues = [...(parsed.error?.issues.flatMap((issue) => describe(issue, given)) ?? []), ...contradictions(given)];
  if (!parsed.success || issues.length > 0) throw new ConfigurationError(report(issues));

  const { limits, extraPermits, wanBaseUrl, imageTransfer, auth, jwt, monthlySpendingLimit, ...settings } = parsed.data;
  return {
    ...settings,
    wanBaseUrl: wanBaseUrl ?? regions[settings.region].base_url,
    imageTransfer: imageTransfer ?? (settings.region === 'beijing' ? 'upload' : 'url'),
    limitSettings: { extra_permits: extraPermits, models: limits },
    auth: jwt ? tokensOf(jwt) : { mode: auth === 'iam' ? 'iam' : 'api-key' },
    monthlySpendingLimit: monthlySpendingLimit === 'none' ? undefined : monthlySpendingLimit,
  };
}

const tokensOf = ({ issuer, audience, ownerClaim, jwksUrl }: NonNullable<Settings['jwt']>): Auth => ({
  mode: 'jwt',
  issuer,
  audience,
  owner_claim: ownerClaim,
  jwks_url: jwksUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
});

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

const report = (issues: string[]): string =>
  `The configuration in the CDK context is wrong:\n${issues.map((issue) => `  ${issue}`).join('\n')}`;
