import { isObject } from '../../is-object.ts';

import { S3Error } from '../errors.ts';

/** A condition of a POST policy (S3 API reference, "POST policy"). */
type Condition =
  | { kind: 'eq' | 'starts-with'; field: string; value: string; source: unknown }
  | { kind: 'content-length-range'; least: number; most: number };

interface Policy {
  /** Milliseconds. */
  expiration: number;
  conditions: readonly Condition[];
}

/** Bytes the policy lets the file have. */
export interface SizeLimits {
  least: number;
  most: number;
}

/** @throws `InvalidPolicyDocument` */
export function parsePolicy(base64: string): Policy {
  const document = parseJson(Buffer.from(base64, 'base64').toString());
  if (!isObject(document)) throw invalidPolicy('it must be an object');
  const expiration = Date.parse(String(document.expiration));
  if (Number.isNaN(expiration)) throw invalidPolicy("it needs an 'expiration' in ISO 8601");
  if (!Array.isArray(document.conditions)) throw invalidPolicy("it needs a list of 'conditions'");
  return { expiration, conditions: document.conditions.flatMap(readCondition) };
}

/**
 * Holds a form against its policy: not expired, every condition met, every field covered by one.
 * @param fields by lower-case name, `bucket` and the final `key` included
 * @throws `AccessDenied` saying which condition failed
 */
export function checkPolicy(policy: Policy, fields: ReadonlyMap<string, string>, now: number): SizeLimits {
  if (now > policy.expiration) throw denied('Policy expired.');
  const covered = new Set<string>();
  const limits = { least: 0, most: Number.POSITIVE_INFINITY };
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      limits.least = Math.max(limits.least, condition.least);
      limits.most = Math.min(limits.most, condition.most);
      continue;
    }
    if (!isMet(condition, fields.get(condition.field) ?? '')) {
      throw denied(`Policy Condition failed: ${JSON.stringify(condition.source)}`);
    }
    covered.add(condition.field);
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !needsNoCondition(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ')}`);
  return limits;
}

function readCondition(source: unknown): Condition[] {
  if (isObject(source)) {
    return Object.entries(source).map(([field, value]) => ({
      kind: 'eq',
      field: field.toLowerCase(),
      value: String(value),
      source,
    }));
  }
  if (!Array.isArray(source) || source.length !== 3) throw invalidPolicy('a condition is an object or a list of three');
  const [kind, first, second] = source;
  if (kind === 'content-length-range') {
    const [least, most] = [Number(first), Number(second)];
    if (!(least >= 0 && most >= least))
      throw invalidPolicy('a content-length-range goes from a number to a greater one');
    return [{ kind, least, most }];
  }
  if ((kind !== 'eq' && kind !== 'starts-with') || typeof first !== 'string' || !first.startsWith('$')) {
    throw invalidPolicy(`this is no condition: ${JSON.stringify(source)}`);
  }
  return [{ kind, field: first.slice(1).toLowerCase(), value: String(second), source }];
}

function isMet({ kind, field, value }: Extract<Condition, { field: string }>, actual: string): boolean {
  if (kind === 'eq') return actual === value;
  // A list of content types must fit in every item.
  const items = field === 'content-type' ? actual.split(',') : [actual];
  return items.every((item) => item.trim().startsWith(value));
}

function needsNoCondition(field: string): boolean {
  return ['policy', 'x-amz-signature', 'bucket'].includes(field) || field.startsWith('x-ignore-');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidPolicy('it must be base64 of JSON');
  }
}

function invalidPolicy(why: string): S3Error {
  return new S3Error('InvalidPolicyDocument', `Invalid Policy: ${why}.`);
}

function denied(why: string): S3Error {
  return new S3Error('AccessDenied', `Invalid according to Policy: ${why}`);
}
