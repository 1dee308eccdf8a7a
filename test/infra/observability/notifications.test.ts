import { beforeAll, describe, expect, test } from 'vitest';
import type { Synthesis } from '../../../infra/synth/synthesize.ts';
import { type Found, flatten, resourcesOf, synthesizeStandIns } from '../support.ts';

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});

const only = (type: string): Found => {
  const found = resourcesOf(synthesis.template, type);
  expect(found).toHaveLength(1);
  return found[0]!;
};

interface Statement {
  Effect: string;
  Action: string | string[];
  Principal: unknown;
  Condition?: unknown;
}

describe('the topic of the alarms', () => {
  test('is encrypted with a key that alarms may use', () => {
    const key = only('AWS::KMS::Key');
    expect(flatten(only('AWS::SNS::Topic').properties.KmsMasterKeyId)).toBe(`<${key.id}.Arn>`);
    expect(key.properties.EnableKeyRotation).toBe(true);
    const statements: Statement[] = key.properties.KeyPolicy.Statement;
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Principal: { Service: 'cloudwatch.amazonaws.com' },
      }),
    );
  });

  test('accepts messages only over TLS and only from alarms of this account', () => {
    const { PolicyDocument, Topics } = only('AWS::SNS::TopicPolicy').properties;
    expect(Topics.map(flatten)).toEqual([`<${only('AWS::SNS::Topic').id}>`]);
    const statements: Statement[] = PolicyDocument.Statement;
    expect(
      statements.map(({ Effect, Action, Principal, Condition }) => [Effect, Action, Principal, Condition]),
    ).toEqual([
      ['Deny', 'sns:Publish', '*', { Bool: { 'aws:SecureTransport': 'false' } }],
      [
        'Allow',
        'sns:Publish',
        { Service: 'cloudwatch.amazonaws.com' },
        { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      ],
    ]);
  });

  test('has a subscription only if alarmEmail is configured', async () => {
    expect(resourcesOf(synthesis.template, 'AWS::SNS::Subscription')).toEqual([]);
    const { template } = await synthesizeStandIns({ alarmEmail: 'ops@example.com' });
    const [subscription] = resourcesOf(template, 'AWS::SNS::Subscription');
    expect(subscription!.properties).toMatchObject({ Protocol: 'email', Endpoint: 'ops@example.com' });
  });
});
