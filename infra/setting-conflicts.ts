import { type CatalogueChanges, rowOf } from '../functions/wan/changes.ts';
import { type Deployment, missingSettings } from '../functions/wan/prices.ts';
import { regionNames, regions, workspaceBaseUrl } from '../functions/wan/regions.ts';
import { isPlainUrl } from './settings.ts';

/**
 * Finds settings that are valid by themselves but not together.
 * @param input the settings as entered without defaults, not yet validated
 * @param changes what `catalogue.json` changes in the catalogue of models
 */
export function settingConflicts(input: Record<string, unknown>, changes: CatalogueChanges): string[] {
  const finders = [
    wanConflicts,
    dropConflicts,
    authConflicts,
    regionConflicts,
    retentionConflicts,
    floodConflicts,
    webhookConflicts,
  ];
  return finders.flatMap((find) => find(input, changes));
}

function wanConflicts(input: Record<string, unknown>): string[] {
  const { region, imageTransfer, wanBaseUrl, workspaceId, uncertainSeconds } = input;
  const issues: string[] = [];
  if (typeof uncertainSeconds === 'number' && uncertainSeconds < 100 && !isTrusted(wanBaseUrl, input)) {
    issues.push(
      `uncertainSeconds = ${uncertainSeconds}: must be 100 or more. A call to Wan may last 75 s, and submitting again before it ends could pay twice`,
    );
  }
  if (region === 'beijing' && imageTransfer === 'url') {
    issues.push(
      'imageTransfer = "url": not with region = "beijing", which cannot reliably fetch from S3 outside mainland China. Remove it or use "upload"',
    );
  }
  if (region === 'frankfurt' && workspaceId === undefined && wanBaseUrl === undefined) {
    issues.push('region = "frankfurt": has no public domain. Set workspaceId to the id of your workspace');
  }
  if (workspaceId !== undefined && wanBaseUrl !== undefined) {
    issues.push(
      `workspaceId = ${JSON.stringify(workspaceId)}: not with wanBaseUrl, which already names an endpoint. Remove one`,
    );
  }
  if (isUntrustedHttp(wanBaseUrl, input)) {
    issues.push(
      `wanBaseUrl = ${JSON.stringify(wanBaseUrl)}: must be https, since every call sends the Wan key. Plain http is only for origins in trustedOrigins`,
    );
  }
  return issues;
}

/** The default model of drops must be offered: otherwise each drop without a model of its own would fail. */
function dropConflicts(
  { drop, region, wanBaseUrl, workspaceId, prices }: Record<string, unknown>,
  changes: CatalogueChanges,
): string[] {
  const { model } = (typeof drop === 'object' && drop !== null ? drop : {}) as Record<string, unknown>;
  const row = rowOf(model, changes);
  if (!row) return [];
  const where = regionNames.find((name) => name === region) ?? 'singapore';
  const ownUrl = typeof wanBaseUrl === 'string' && URL.canParse(wanBaseUrl) ? wanBaseUrl : undefined;
  const base_url = ownUrl ?? ((workspaceId === undefined && regions[where].base_url) || workspaceBaseUrl('ws', where));
  const ownPrices = (prices ?? {}) as Deployment['prices'];
  const missing = missingSettings(row, { region: where, base_url, prices: ownPrices, changes });
  return missing.map((sentence) => `drop.model = ${JSON.stringify(model)}: is not offered. ${sentence}`);
}

function authConflicts(input: Record<string, unknown>): string[] {
  const { auth, jwt } = input;
  const issues: string[] = [];
  if (auth === 'jwt' && jwt === undefined) {
    issues.push('auth = "jwt": requires the setting jwt with "issuer" and "audience" of the tokens');
  }
  if (jwt !== undefined && auth !== 'jwt') {
    issues.push(
      `jwt = ${JSON.stringify(jwt)}: not with auth = ${JSON.stringify(auth ?? 'api-key')}. Set auth = "jwt" or remove it`,
    );
  }
  const { issuer, jwksUrl } = (isObject(jwt) ? jwt : {}) as Record<string, unknown>;
  // With jwksUrl the issuer is only a name (RFC 7519, 4.1.1: a StringOrURI): nothing is fetched from it.
  const [name, fetched] = jwksUrl === undefined ? ['issuer', issuer] : ['jwksUrl', jwksUrl];
  if (name === 'issuer' && typeof issuer === 'string' && issuer !== '' && !isPlainUrl(issuer)) {
    issues.push(
      `jwt.issuer = ${JSON.stringify(issuer)}: must be an http(s) URL without a query, a fragment or credentials, since its keys are fetched from a path below it. Otherwise set "jwksUrl"`,
    );
  } else if (isUntrustedHttp(fetched, input)) {
    issues.push(
      `jwt.${name} = ${JSON.stringify(fetched)}: must be https, since anyone who can alter the keys in transit can forge tokens. Plain http is only for origins in trustedOrigins`,
    );
  }
  return issues;
}

/** A certificate of a regional endpoint and a key must be in the region of the stack, so they are in the same one. */
function regionConflicts({ domain, kmsKeyArn }: Record<string, unknown>): string[] {
  const { certificateArn } = (isObject(domain) ? domain : {}) as Record<string, unknown>;
  const [certificate, key] = [certificateArn, kmsKeyArn].map((arn) =>
    typeof arn === 'string' ? arn.split(':')[3] : undefined,
  );
  if (!certificate || !key || certificate === key) return [];
  return [
    `domain.certificateArn = ${JSON.stringify(certificateArn)}: must be in the region of kmsKeyArn, ${key}. Both must be in the region of the deployment`,
  ];
}

/** A copy next to its image would outlive the video, or the other way round: what is announced must be what is deleted. */
function retentionConflicts({ retention, drop }: Record<string, unknown>): string[] {
  const { videos, drops } = (isObject(retention) ? retention : {}) as Record<string, unknown>;
  const { copyVideo } = (isObject(drop) ? drop : {}) as Record<string, unknown>;
  if (copyVideo !== true || typeof videos !== 'number' || (typeof drops === 'number' && drops <= videos)) return [];
  return [
    `retention.videos = ${videos}: with drop.copyVideo a copy stays in the drop folder. Set retention.drops to ${videos} or less, or remove copyVideo`,
  ];
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The longest backlog of a rate limiter, in seconds (MAX_BACKLOG_MILLISECONDS), with a margin. */
const MAX_BURST_SECONDS = 500;

function floodConflicts({ ownerThrottle, longPolls, apiConcurrency }: Record<string, unknown>): string[] {
  const issues: string[] = [];
  const { rate = 50, burst = 100 } = (isObject(ownerThrottle) ? ownerThrottle : {}) as Record<string, unknown>;
  if (typeof rate === 'number' && typeof burst === 'number' && burst > rate * MAX_BURST_SECONDS) {
    issues.push(
      `ownerThrottle.burst = ${burst}: must be at most ${MAX_BURST_SECONDS} times ownerThrottle.rate, which is ${rate}`,
    );
  }
  const { total } = (isObject(longPolls) ? longPolls : {}) as Record<string, unknown>;
  if (typeof total === 'number' && typeof apiConcurrency === 'number' && total >= apiConcurrency) {
    issues.push(
      `longPolls.total = ${total}: must be below apiConcurrency = ${apiConcurrency}, or waiting requests would use up the functions. Half of it is the default`,
    );
  }
  return issues;
}

/** In Lambda the loopback address is the function itself, whose runtime API there takes requests without a credential. */
function webhookConflicts({ loopbackWebhooks, trustedOrigins }: Record<string, unknown>): string[] {
  if (loopbackWebhooks !== true || (Array.isArray(trustedOrigins) && trustedOrigins.length > 0)) return [];
  return [
    "loopbackWebhooks = true: only for a developer's machine, which names its emulator in trustedOrigins. In the cloud a webhook could reach the function itself",
  ];
}

const isUntrustedHttp = (url: unknown, input: Record<string, unknown>): boolean =>
  typeof url === 'string' && /^http:/i.test(url) && URL.canParse(url) && !isTrusted(url, input);

function isTrusted(url: unknown, { trustedOrigins }: Record<string, unknown>): boolean {
  const trusted: unknown[] = Array.isArray(trustedOrigins) ? trustedOrigins : [];
  return typeof url === 'string' && URL.canParse(url) && trusted.includes(new URL(url).origin);
}
