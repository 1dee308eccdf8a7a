import { expect, test } from 'vitest';
import { account, region } from '../../../local/aws/account.ts';
import { readApi } from '../../../local/aws/api-gateway/read-api.ts';
import { checkReferences } from '../../../local/aws/check-references.ts';
import { readFunctions, readRules } from '../../../local/aws/read-resources.ts';
import { loadStack } from '../../../local/aws/template/load-stack.ts';
import { synthesizeStandIns } from '../../infra/support.ts';

const jwt = { issuer: 'https://id.example', audience: 'firstframe' };

test.each<[string, Record<string, unknown>, methods: { signed: number; authorized: number; open: number }]>([
  ['the default', {}, { signed: 0, authorized: 32, open: 34 }],
  ['JWT authorization', { auth: 'jwt', jwt }, { signed: 0, authorized: 32, open: 34 }],
  ['IAM authorization', { auth: 'iam' }, { signed: 31, authorized: 1, open: 31 }],
  ['an alarm email address', { alarmEmail: 'ops@example.com' }, { signed: 0, authorized: 32, open: 34 }],
  ['a web ACL', { waf: { requestsPer5Minutes: 100 } }, { signed: 0, authorized: 32, open: 34 }],
])('the local runtime supports every part of the stack with %s', async (_, context, methods) => {
  const { template } = await synthesizeStandIns(context);
  const stack = loadStack(template, { stack_name: 'firstframe', account, region });
  const api = readApi(stack);
  checkReferences(stack, { api, rules: readRules(stack), functions: readFunctions(stack, () => 'nowhere') });
  const counted = { signed: 0, authorized: 0, open: 0 };
  for (const { authorizer, requires_iam: is_signed } of api.methods) {
    counted[is_signed ? 'signed' : authorizer ? 'authorized' : 'open'] += 1;
  }
  expect(counted).toEqual(methods);
});
