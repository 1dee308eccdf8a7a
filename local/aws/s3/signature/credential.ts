import { createHmac } from 'node:crypto';

/** The credential scope of a signature: whose key, on which day, for which region. */
export interface Credential {
  access_key_id: string;
  /** `20260131` */
  date: string;
  region: string;
}

/** Reads `<access key id>/<date>/<region>/s3/aws4_request`; `undefined` when it is anything else. Any region is taken. */
export function parseCredential(text: string): Credential | undefined {
  const parts = /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/.exec(text);
  return parts ? { access_key_id: parts[1]!, date: parts[2]!, region: parts[3]! } : undefined;
}

export function scopeOf(credential: Credential): string {
  return `${credential.date}/${credential.region}/s3/aws4_request`;
}

/** The day's key derived from the secret (Signature Version 4, "Derive a signing key"). */
export function deriveSigningKey(secret: string, credential: Credential): Buffer {
  const day = hmac(`AWS4${secret}`, credential.date);
  return hmac(hmac(hmac(day, credential.region), 's3'), 'aws4_request');
}

export function sign(signingKey: Buffer, text: string): string {
  return hmac(signingKey, text).toString('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Reads `20260131T235959Z` into milliseconds; `undefined` for any other form. */
export function parseAmzDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}
