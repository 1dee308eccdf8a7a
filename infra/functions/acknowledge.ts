import { type CfnResource, Lazy, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The acknowledged rules of cdk-nag's AwsSolutions: at most six, so that exceptions stay rare. */
export type AcknowledgedRule = 'APIG3' | 'APIG4' | 'COG4' | 'IAM5' | 'S1' | 'SMG4';

/** Acknowledges a rule for a construct and its children. @param reason why it is safe there */
export function acknowledge(construct: IConstruct, rule: Exclude<AcknowledgedRule, 'IAM5'>, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** Acknowledges one resource with a wildcard in the policies below a construct. cdk-nag still reports any other wildcard. */
export function acknowledgeWildcard(construct: IConstruct, resource: string, reason: string): void {
  const finding = flatten(Stack.of(construct).resolve(resource));
  Validations.of(construct).acknowledge({ id: `AwsSolutions-IAM5[Resource::${finding}]`, reason });
}

interface Justification {
  readonly id: `CKV_AWS_${number}`;
  readonly comment: string;
  readonly unless: string | undefined;
}

const justifications = new WeakMap<CfnResource, Justification[]>();

/**
 * Justifies a failed check of checkov for the resource of a construct, in the metadata that checkov reads. `npm run test:template`
 * fails for a check without a justification, and for a justification without a failed check.
 * @param unless a property of the resource: the check passes, and nothing is to be justified, if the property is set
 */
export function justify(construct: IConstruct, id: Justification['id'], comment: string, unless?: string): void {
  const resource = (construct.node.defaultChild ?? construct) as CfnResource;
  const all = justifications.get(resource) ?? [];
  all.push({ id, comment, unless });
  justifications.set(resource, all);
  const isSet = (property: string) => (resource as unknown as Record<string, unknown>)[property] !== undefined;
  // A property may be set after this call.
  const skip = Lazy.any({
    produce: () => all.flatMap(({ unless, ...written }) => (unless && isSet(unless) ? [] : [written])),
  });
  resource.addMetadata('checkov', { skip });
}

/** Justifies that a log group has no key of the operator. */
export const justifyLogKey = (logGroup: IConstruct): void =>
  justify(
    logGroup,
    'CKV_AWS_158',
    'CloudWatch Logs encrypts it with a key of AWS; the setting kmsKeyArn uses another. Logs contain no keys, prompts or signed URLs.',
    'kmsKeyId',
  );

/** Formats a reference like cdk-nag: `<UploadsBucket.Arn>/drop/*`. */
function flatten(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  const {
    Ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
  } = reference as Partial<{
    Ref: string;
    'Fn::GetAtt': string[];
    'Fn::Join': [string, unknown[]];
  }>;
  if (join) return join[1].map(flatten).join(join[0]);
  return `<${attribute ? attribute.join('.') : Ref}>`;
}
