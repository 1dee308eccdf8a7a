import { isObject, parseObject } from '../../json.ts';
import { S3Error } from '../errors.ts';

/** A condition of a POST policy (S3 API reference, "POST policy"). */
type Condition =
  | { kind: 'eq' | 'starts-with'; field: string; value: string; source: unknown }
  | { kind: 'content-length-range'; minimum: number; maximum: number };

interface Policy {
  /** Milliseconds since 1970. */
  expiration: number;
  conditions: readonly Condition[];
}

/** The policy's limits for the size of the file, in bytes. */
export interface SizeLimits {
  minimum: number;
  maximum: number;
}

/** @throws `InvalidPolicyDocument` */
export function parsePolicy(base64: string): Policy {
  const document = parseObject(Buffer.from(base64, 'base64').toString());
  if (!document) throw invalidPolicy('it must be a JSON object in base64');
  const expiration = Date.parse(String(document.expiration));
  if (Number.isNaN(expiration)) throw invalidPolicy("it needs an 'expiration' in ISO 8601");
  if (!Array.isArray(document.conditions)) throw invalidPolicy("it needs an array of 'conditions'");
  return { expiration, conditions: document.conditions.flatMap(readCondition) };
}

/**
 * Checks a form against its policy: not expired, all conditions met, every field covered by a condition.
 * @param fields by lower-case name, including `bucket` and the final `key`
 * @throws `AccessDenied` that names the failed condition
 */
export function checkPolicy(policy: Policy, fields: ReadonlyMap<string, string>, now: number): SizeLimits {
  if (now > policy.expiration) throw accessDenied('Policy expired.');
  const covered = new Set<string>();
  const limits = { minimum: 0, maximum: Number.POSITIVE_INFINITY };
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      limits.minimum = Math.max(limits.minimum, condition.minimum);
      limits.maximum = Math.min(limits.maximum, condition.maximum);
      continue;
    }
    if (!meetsCondition(condition, fields.get(condition.field) ?? '')) {
      throw accessDenied(`Policy Condition failed: ${JSON.stringify(condition.source)}`);
    }
    covered.add(condition.field);
  }
  const uncovered = [...fields.keys()].filter((name) => !covered.has(name) && !needsNoCondition(name));
  if (uncovered.length > 0) throw accessDenied(`Extra input fields: ${uncovered.join(', ')}`);
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
  if (!Array.isArray(source) || source.length !== 3)
    throw invalidPolicy('a condition is an object or an array of three');
  const [kind, first, second] = source;
  if (kind === 'content-length-range') {
    const [minimum, maximum] = [Number(first), Number(second)];
    if (!(minimum >= 0 && maximum >= minimum))
      throw invalidPolicy('a content-length-range needs a minimum and a larger maximum');
    return [{ kind, minimum, maximum }];
  }
  if ((kind !== 'eq' && kind !== 'starts-with') || typeof first !== 'string' || !first.startsWith('$')) {
    throw invalidPolicy(`this is not a condition: ${JSON.stringify(source)}`);
  }
  return [{ kind, field: first.slice(1).toLowerCase(), value: String(second), source }];
}

function meetsCondition({ kind, field, value }: Extract<Condition, { field: string }>, actual: string): boolean {
  if (kind === 'eq') return actual === value;
  // Every item of a list of content types must match.
  const items = field === 'content-type' ? actual.split(',') : [actual];
  return items.every((item) => item.trim().startsWith(value));
}

function needsNoCondition(field: string): boolean {
  return ['policy', 'x-amz-signature', 'bucket'].includes(field) || field.startsWith('x-ignore-');
}

function invalidPolicy(reason: string): S3Error {
  return new S3Error('InvalidPolicyDocument', `Invalid Policy: ${reason}.`);
}

function accessDenied(reason: string): S3Error {
  return new S3Error('AccessDenied', `Invalid according to Policy: ${reason}`);
}
