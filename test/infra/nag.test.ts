import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../infra/bundle.ts';
import { readConfiguration } from '../../infra/config.ts';
import { FirstframeStack } from '../../infra/stack.ts';
import { standInBundles } from './support.ts';

let app: App;
let stack: FirstframeStack;
let checks: AwsSolutionsChecks;
beforeAll(() => {
  const { context } = JSON.parse(readFileSync(join(projectRoot, 'cdk.json'), 'utf8'));
  app = new App({
    builtinCloudFormationValidation: false,
    context: { ...context, 'aws:cdk:disable-asset-staging': true },
  });
  stack = new FirstframeStack(app, 'Firstframe', { configuration: readConfiguration({}), bundles: standInBundles() });
  checks = new AwsSolutionsChecks(app);
});

const found = (): string[] =>
  checks
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
    );

/** What is acknowledged: rule, reason, and where. */
const acknowledged = (): { rule: string; reason: string; path: string }[] =>
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
    expect(found()).toEqual([]);
  });

  test('acknowledges at most six rules, each beside its resource and with its reason', () => {
    const rules = new Set(acknowledged().map(({ rule }) => rule.replace(/\[.*$/s, '')));
    expect(rules.size).toBeLessThanOrEqual(6);
    for (const { reason, path } of acknowledged()) {
      expect(reason).toMatch(/^[A-Z].{50,}\.$/s);
      expect(path).not.toBe('Firstframe');
    }
  });

  test('would find what is not: a bucket that is left open', () => {
    new Bucket(stack, 'LeftOpen');
    expect(found()).toEqual(expect.arrayContaining([expect.stringMatching(/^AwsSolutions-S1 Firstframe\/LeftOpen/)]));
  });
});
