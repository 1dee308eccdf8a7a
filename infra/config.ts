import type * as z from 'zod';
import type { Auth, LimitSettings, LongPollLimits } from '../functions/shared/environment.ts';
import { type CatalogueChanges, catalogueChanges } from '../functions/wan/changes.ts';
import { type Region, regions, workspaceBaseUrl } from '../functions/wan/regions.ts';
import { settingConflicts } from './setting-conflicts.ts';
import { knownKeys, type Settings, settingNames, settingsSchema, textSettings } from './settings.ts';

export { settingNames };

/** The validated settings of a deployment, with defaults. */
export interface Configuration
  extends Omit<
    Settings,
    | 'wanBaseUrl'
    | 'workspaceId'
    | 'imageTransfer'
    | 'limits'
    | 'extraPermits'
    | 'auth'
    | 'jwt'
    | 'monthlySpendingLimit'
    | 'longPolls'
  > {
  readonly wanBaseUrl: string;
  readonly imageTransfer: 'url' | 'upload';
  readonly limitSettings: LimitSettings;
  /** What the file `catalogue.json` changes in the catalogue of models. */
  readonly catalogue: CatalogueChanges;
  readonly auth: Auth;
  readonly longPolls: LongPollLimits;
  /** Undefined: unlimited. */
  readonly monthlySpendingLimit: number | undefined;
}

/** Whether a context key belongs to the CDK or its CLI: feature flags, lookups, acknowledged notices, telemetry. */
const isCdkKey = (key: string): boolean =>
  /[:@/]/.test(key) || ['acknowledged-issue-numbers', 'cli-telemetry'].includes(key);

/**
 * Reads the configuration from a CDK context: the object `firstframe`, overridden by single settings
 * (`cdk deploy -c region=beijing`).
 * @param catalogueFile the content of `catalogue.json`
 * @throws ConfigurationError that lists every invalid or unknown key with its value and what is allowed
 */
export function readConfiguration(context: Record<string, unknown>, catalogueFile: unknown = {}): Configuration {
  const { firstframe = {}, ...rest } = context;
  const single = Object.entries(rest).filter(([key]) => !isCdkKey(key));
  if (!isObject(firstframe) || Array.isArray(firstframe))
    throw new ConfigurationError(
      formatIssues([`firstframe = ${JSON.stringify(firstframe)}: must be an object of settings`]),
    );

  const input = {
    ...firstframe,
    ...Object.fromEntries(single.map(([key, value]) => [key, fromCommandLine(key, value)])),
  };
  const parsed = settingsSchema.safeParse(input);
  const catalogue = readCatalogue(catalogueFile, parsed.data?.region);
  const issues = [
    ...(parsed.error?.issues.flatMap((issue) => describeIssue(issue, input)) ?? []),
    ...catalogue.issues,
    ...settingConflicts(input, catalogue.changes),
  ];
  if (!parsed.success || issues.length > 0) throw new ConfigurationError(formatIssues(issues));

  const {
    limits,
    extraPermits,
    wanBaseUrl,
    workspaceId,
    imageTransfer,
    auth,
    jwt,
    monthlySpendingLimit,
    longPolls,
    ...settings
  } = parsed.data;
  const ownBaseUrl = workspaceId && workspaceBaseUrl(workspaceId, settings.region);
  return {
    ...settings,
    // A region without a public domain has one of the two settings.
    wanBaseUrl: wanBaseUrl ?? ownBaseUrl ?? regions[settings.region].base_url ?? '',
    imageTransfer: imageTransfer ?? (settings.region === 'beijing' ? 'upload' : 'url'),
    limitSettings: { extra_permits: extraPermits, models: limits },
    catalogue: catalogue.changes,
    auth: jwt ? jwtAuth(jwt) : { mode: auth === 'iam' ? 'iam' : 'api-key' },
    longPolls: { per_owner: longPolls.perOwner, total: longPolls.total ?? defaultLongPolls(settings) },
    monthlySpendingLimit: monthlySpendingLimit === 'none' ? undefined : monthlySpendingLimit,
  };
}

/** With reserved concurrency, the other half stays free for requests that do not wait. */
const defaultLongPolls = ({ apiConcurrency }: Pick<Settings, 'apiConcurrency'>): number =>
  apiConcurrency === undefined ? 50 : Math.floor(apiConcurrency / 2);

/** Lambda allows 4 KB of environment variables. */
const MAX_CATALOGUE_CHARACTERS = 2000;

/** Checks the content of `catalogue.json`. */
function readCatalogue(file: unknown, region: Region | undefined): { changes: CatalogueChanges; issues: string[] } {
  const parsed = catalogueChanges.safeParse(file);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `catalogue.json: ${path.join('.')}: ${message}`);
    return { changes: {}, issues };
  }
  const issues = Object.entries(parsed.data).flatMap(([name, { prices }]) =>
    prices && region && prices.currency !== regions[region].currency
      ? [`catalogue.json: ${name}.prices.currency: must be ${regions[region].currency}, the currency of ${region}`]
      : [],
  );
  if (JSON.stringify(parsed.data).length > MAX_CATALOGUE_CHARACTERS)
    issues.push(
      `catalogue.json: has more than ${MAX_CATALOGUE_CHARACTERS} characters without spaces. Keep what differs, or change rows in the running deployment: npm run catalogue`,
    );
  return { changes: parsed.data, issues };
}

const jwtAuth = ({ issuer, audience, ownerClaim, jwksUrl }: NonNullable<Settings['jwt']>): Auth => ({
  mode: 'jwt',
  issuer,
  audience,
  owner_claim: ownerClaim,
  jwks_url: jwksUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
});

function describeIssue(issue: z.core.$ZodIssue, input: Record<string, unknown>): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path).join(', ');
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return `${path.join('.')} = ${valueAt(input, path)}: unknown setting. Use one of ${known}`;
    });
  }
  return [`${issue.path.join('.')} = ${valueAt(input, issue.path)}: ${issue.message}`];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>((whole, key) => (isObject(whole) ? whole[String(key)] : undefined), input);
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

/** One or more settings are invalid. The message lists each with its value and what is allowed. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const formatIssues = (issues: string[]): string =>
  `Invalid configuration in the CDK context:\n${issues.map((issue) => `  ${issue}`).join('\n')}`;
