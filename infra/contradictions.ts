import { isPlainUrl } from './settings.ts';

/**
 * What is wrong between settings that are each right.
 * @param given the settings as they were given, without defaults, and not yet known to be right
 */
export function contradictions(given: Record<string, unknown>): string[] {
  return [...aboutWan(given), ...aboutCallers(given)];
}

function aboutWan(given: Record<string, unknown>): string[] {
  const { region, imageTransfer, wanBaseUrl, uncertainSeconds } = given;
  const issues: string[] = [];
  if (typeof uncertainSeconds === 'number' && uncertainSeconds < 100 && !isTrusted(wanBaseUrl, given)) {
    issues.push(
      `uncertainSeconds = ${uncertainSeconds}: must be 100 or more, since a call to Wan may last 75 s and sending again before it has ended could pay twice`,
    );
  }
  if (region === 'beijing' && imageTransfer === 'url') {
    issues.push(
      'imageTransfer = "url": not with region = "beijing", which cannot be relied on to fetch from S3 outside mainland China; leave it out or say "upload"',
    );
  }
  if (isOpenHttp(wanBaseUrl, given)) {
    issues.push(
      `wanBaseUrl = ${JSON.stringify(wanBaseUrl)}: must be https, as Wan's key travels with each call; plain http is for origins in trustedOrigins`,
    );
  }
  return issues;
}

function aboutCallers(given: Record<string, unknown>): string[] {
  const { auth, jwt } = given;
  const issues: string[] = [];
  if (auth === 'jwt' && jwt === undefined) {
    issues.push('auth = "jwt": needs the setting jwt as well, with "issuer" and "audience" of the tokens');
  }
  if (jwt !== undefined && auth !== 'jwt') {
    issues.push(
      `jwt = ${JSON.stringify(jwt)}: not with auth = ${JSON.stringify(auth ?? 'api-key')}; say auth = "jwt" or leave it out`,
    );
  }
  const { issuer, jwksUrl } = (typeof jwt === 'object' && jwt !== null ? jwt : {}) as Record<string, unknown>;
  // An issuer whose keys lie elsewhere is a name only (RFC 7519, 4.1.1: a StringOrURI): nothing is fetched from it.
  const [name, fetched] = jwksUrl === undefined ? ['issuer', issuer] : ['jwksUrl', jwksUrl];
  if (name === 'issuer' && typeof issuer === 'string' && issuer !== '' && !isPlainUrl(issuer)) {
    issues.push(
      `jwt.issuer = ${JSON.stringify(issuer)}: must be an http(s) URL without a query, a fragment or credentials, as its keys are looked for below it; or say in "jwksUrl" where they are`,
    );
  } else if (isOpenHttp(fetched, given)) {
    issues.push(
      `jwt.${name} = ${JSON.stringify(fetched)}: must be https, as whoever changes the keys on their way can be anybody; plain http is for origins in trustedOrigins`,
    );
  }
  return issues;
}

const isOpenHttp = (url: unknown, given: Record<string, unknown>): boolean =>
  typeof url === 'string' && /^http:/i.test(url) && URL.canParse(url) && !isTrusted(url, given);

function isTrusted(url: unknown, { trustedOrigins }: Record<string, unknown>): boolean {
  const trusted: unknown[] = Array.isArray(trustedOrigins) ? trustedOrigins : [];
  return typeof url === 'string' && URL.canParse(url) && trusted.includes(new URL(url).origin);
}
