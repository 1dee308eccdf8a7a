import { account, region } from '../../local/aws/account.ts';
import type { JudgedCall } from '../support/aws-calls.ts';

/**
 * The calls to KMS that a service makes for the caller of an action, if its data is encrypted with the operator's key. From the
 * documentation of each service; DynamoDB documents only the actions that it needs altogether.
 */
const keyActions: Readonly<Record<string, readonly string[]>> = {
  's3:GetObject': ['Decrypt'],
  's3:GetObjectVersion': ['Decrypt'],
  's3:PutObject': ['GenerateDataKey', 'Decrypt'],
  'sqs:SendMessage': ['GenerateDataKey', 'Decrypt'],
  'sqs:ReceiveMessage': ['Decrypt'],
  'secretsmanager:GetSecretValue': ['Decrypt'],
  ...Object.fromEntries(
    ['GetItem', 'PutItem', 'UpdateItem', 'Query'].map((action) => [
      `dynamodb:${action}`,
      ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'DescribeKey'],
    ]),
  ),
};

export const kmsKeyArn = `arn:aws:kms:${region}:${account}:key/1f2e3d4c-5b6a-4788-9a0b-c1d2e3f4a5b6`;

/** Returns the calls to KMS that other calls lead to. */
export function keyCalls(calls: readonly Pick<JudgedCall, 'principal' | 'action'>[]): JudgedCall[] {
  const implied = calls.flatMap(({ principal, action }) =>
    (keyActions[action] ?? []).map((keyAction) => ({
      principal,
      action: `kms:${keyAction}`,
      resource: kmsKeyArn,
      conditions: { 'kms:ViaService': `${action.split(':')[0]}.${region}.amazonaws.com` },
    })),
  );
  return [...new Map(implied.map((call) => [JSON.stringify(call), call])).values()];
}
