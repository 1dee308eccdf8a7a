import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, test } from 'vitest';
import { requiredKeyStatements } from '../../../infra/storage/key-policy.ts';
import { projectRoot } from '../../../infra/synth/bundle.ts';
import { account, region } from '../../../local/aws/account.ts';
import { glob } from '../../../local/aws/api-gateway/policy.ts';
import { companySettings, resourcesOf, synthesizeStandIns } from '../support.ts';

const { kmsKeyArn } = companySettings;

test('the guide shows exactly the statements that the key needs', () => {
  const guide = readFileSync(join(projectRoot, 'docs/deploy.md'), 'utf8');
  const blocks = [...guide.matchAll(/```json\n(\[[\s\S]*?)```/g)].map(([, json]) => JSON.parse(json!));
  expect(blocks).toEqual([requiredKeyStatements('111122223333', 'eu-central-1')]);
});

describe('these statements', () => {
  const statements = requiredKeyStatements(account, region);
  const isAllowed = async (service: string, action: string) => {
    const result = await runSimulation(
      {
        request: {
          principal: service,
          action,
          resource: { resource: kmsKeyArn, accountId: account },
          contextVariables: {},
        },
        identityPolicies: [],
        resourcePolicy: { Version: '2012-10-17', Statement: statements },
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    );
    if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
    return result.overallResult === 'Allowed';
  };

  test.each(['events.amazonaws.com', 'cloudwatch.amazonaws.com'])('let %s send encrypted messages', async (service) => {
    for (const action of ['kms:GenerateDataKey', 'kms:Decrypt']) expect(await isAllowed(service, action)).toBe(true);
  });

  test('let CloudWatch Logs encrypt the log groups of this account, and no others', async () => {
    // The simulator does not know this condition key, whose name has more colons than others.
    const { Principal, Condition } = statements.find(({ Sid }) => Sid === 'EncryptLogs')!;
    expect(Principal).toEqual({ Service: `logs.${region}.amazonaws.com` });
    const pattern = (Condition as { ArnLike: Record<string, string> }).ArnLike['kms:EncryptionContext:aws:logs:arn']!;
    const arnOf = (id: string) => `arn:aws:logs:${region}:${id}:log-group:/aws/lambda/a`;
    expect([account, '999999999999'].map((id) => glob(pattern).test(arnOf(id)))).toEqual([true, false]);
  });

  test('name every service that sends to an encrypted queue or topic of the stack in its own name', async () => {
    const { template } = await synthesizeStandIns(companySettings);
    const policies = [
      ...resourcesOf(template, 'AWS::SQS::QueuePolicy'),
      ...resourcesOf(template, 'AWS::SNS::TopicPolicy'),
    ];
    const senders = policies
      .flatMap(({ properties }) => properties.PolicyDocument.Statement)
      .filter(({ Effect }) => Effect === 'Allow')
      .map(({ Principal }) => Principal.Service as string);
    expect(new Set(senders)).toEqual(new Set(['events.amazonaws.com', 'cloudwatch.amazonaws.com']));
    for (const sender of new Set(senders)) expect(await isAllowed(sender, 'kms:GenerateDataKey')).toBe(true);
  });
});
