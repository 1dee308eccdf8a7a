import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, test } from 'vitest';
import { readConfiguration } from '../../infra/config.ts';
import { FirstframeStack } from '../../infra/stack.ts';
import { projectRoot } from '../../infra/synth/bundle.ts';
import { companySettings, standInBundles } from './support.ts';

interface Checked {
  app: App;
  stack: FirstframeStack;
}

function synthesized(settings: Record<string, unknown> = {}): Checked {
  const { context } = JSON.parse(readFileSync(join(projectRoot, 'cdk.json'), 'utf8'));
  const app = new App({
    builtinCloudFormationValidation: false,
    context: { ...context, 'aws:cdk:disable-asset-staging': true },
  });
  const configuration = readConfiguration(settings);
  return { app, stack: new FirstframeStack(app, 'Firstframe', { configuration, bundles: standInBundles() }) };
}

let checked: Checked;
beforeAll(() => {
  checked = synthesized();
});

const found = ({ app }: Checked): string[] =>
  new AwsSolutionsChecks(app)
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
    );

/** Returns the acknowledged rules with reason and construct path. */
const acknowledged = ({ stack }: Checked): { rule: string; reason: string; path: string }[] =>
  stack.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) =>
        Object.entries(data as Record<string, string>).map(([rule, reason]) => ({
          rule: rule.replace(/^annotation::/i, ''),
          reason,
          path: node.path,
        })),
      ),
  );

describe('cdk-nag AwsSolutions', () => {
  test('finds nothing that is not acknowledged', () => {
    expect(found(checked)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['tokens', { auth: 'jwt', jwt: { issuer: 'https://id.example', audience: 'a' } }],
    ['signatures', { auth: 'iam' }],
    ['a domain', { domain: companySettings.domain }],
    ["the operator's key", { kmsKeyArn: companySettings.kmsKeyArn }],
    ['a permissions boundary', { permissionsBoundary: companySettings.permissionsBoundary }],
    ['tags', { tags: companySettings.tags }],
    ['retention', { retention: companySettings.retention }],
    ['no dashboard', { dashboard: false }],
    ['everything', companySettings],
  ])('has no other finding with %s', (_, settings) => {
    expect(found(synthesized(settings))).toEqual([]);
  });

  test('has no finding with a web ACL, and then no acknowledgement of a missing one', () => {
    const protectedStack = synthesized({ waf: { requestsPer5Minutes: 500 } });
    expect(found(protectedStack)).toEqual([]);
    const rules = (result: Checked) => acknowledged(result).filter(({ rule }) => rule.includes('APIG3'));
    expect([rules(checked).length, rules(protectedStack).length]).toEqual([1, 0]);
  });

  test('has no finding with access logs, and then no acknowledgement of missing ones', () => {
    const logged = synthesized({ accessLogBucket: 'company-logs' });
    expect(found(logged)).toEqual([]);
    const rules = (result: Checked) => acknowledged(result).filter(({ rule }) => rule.includes('S1'));
    expect([rules(checked).length, rules(logged).length]).toEqual([2, 0]);
  });

  test('acknowledges at most six rules, each at its resource and with a reason', () => {
    const rules = new Set(acknowledged(checked).map(({ rule }) => rule.replace(/\[.*$/s, '')));
    expect(rules.size).toBeLessThanOrEqual(6);
    for (const { reason, path } of acknowledged(checked)) {
      expect(reason).toMatch(/^[A-Z].{50,}\.$/s);
      expect(path).not.toBe('Firstframe');
    }
  });

  test('reports an open bucket', () => {
    const { stack } = checked;
    new Bucket(stack, 'LeftOpen');
    expect(found(checked)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^AwsSolutions-S1 Firstframe\/LeftOpen/)]),
    );
  });
});
