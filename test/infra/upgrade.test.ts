import { beforeAll, describe, expect, test } from 'vitest';
import { type Release, readRelease, upgradeIssues } from '../../infra/operations/release.ts';
import type { Template, TemplateResource } from '../../infra/synth/render-template.ts';
import { resourcesOf, synthesizeStandIns } from './support.ts';

let today: Template;
let released: Release;
beforeAll(async () => {
  ({ template: today } = await synthesizeStandIns());
  released = await readRelease();
});

test('a deployment of the last release can be upgraded to this version without losing state', () => {
  expect(upgradeIssues(released, today)).toEqual([]);
});

test('the last release contains every type with state', () => {
  const types = new Set(Object.values(released.template.Resources).map(({ Type }) => Type));
  for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::Lambda::Alias', 'AWS::ApiGateway::RestApi']) {
    expect(types).toContain(type);
  }
});

describe('an upgrade is rejected when it', () => {
  const without = ({ Resources }: Template, id: string): Template => {
    const { [id]: gone, ...rest } = Resources;
    expect(gone).toBeDefined();
    return { Resources: rest };
  };
  const changed = (id: string, change: (resource: TemplateResource) => Partial<TemplateResource>): Template => ({
    Resources: { ...today.Resources, [id]: { ...today.Resources[id]!, ...change(today.Resources[id]!) } },
  });
  const withProperties = (id: string, properties: Record<string, unknown>): Template =>
    changed(id, ({ Properties }) => ({ Properties: { ...Properties, ...properties } }));
  const release = (): Release => ({ version: 'last', retired: [], template: today });
  const issuesOf = (next: Template, last = release()) => upgradeIssues(last, next);

  test.each(['UploadsBucket', 'VideosBucket', 'VideosTable', 'WanApiKey', 'StateMachine', 'RestApi'])(
    'deletes %s or changes its id',
    (id) => {
      expect(issuesOf(without(today, id))).toEqual([expect.stringMatching(`^${id} \\(.*\\) would be deleted\\.$`)]);
    },
  );

  test('replaces the table, a bucket or the state machine', () => {
    expect(issuesOf(withProperties('VideosTable', { KeySchema: [] }))).toEqual([
      'VideosTable (AWS::DynamoDB::Table) would be replaced because its KeySchema changes.',
    ]);
    expect(issuesOf(withProperties('VideosBucket', { BucketName: 'mine' }))).toHaveLength(1);
    expect(issuesOf(withProperties('StateMachine', { StateMachineName: 'another' }))).toHaveLength(1);
    expect(issuesOf(changed('VideosBucket', () => ({ Type: 'AWS::S3Express::DirectoryBucket' })))).toEqual([
      'VideosBucket would become a AWS::S3Express::DirectoryBucket.',
    ]);
  });

  test('removes a deletion policy', () => {
    expect(issuesOf(changed('VideosTable', () => ({ DeletionPolicy: 'Delete' })))).toEqual([
      'VideosTable (AWS::DynamoDB::Table) would lose its DeletionPolicy Retain.',
    ]);
  });

  test('deletes an index of the release or creates two', () => {
    const indexes = today.Resources.VideosTable!.Properties!.GlobalSecondaryIndexes as { IndexName: string }[];
    expect(issuesOf(withProperties('VideosTable', { GlobalSecondaryIndexes: indexes.slice(1) }))).toHaveLength(1);
    const one = { ...indexes[0]!, IndexName: 'one' };
    expect(issuesOf(withProperties('VideosTable', { GlobalSecondaryIndexes: [...indexes, one] }))).toEqual([]);
    const two = [...indexes, one, { ...one, IndexName: 'two' }];
    expect(issuesOf(withProperties('VideosTable', { GlobalSecondaryIndexes: two }))).toHaveLength(1);
  });

  test('removes a function that running executions may call, unless the release had retired it', () => {
    const { id: alias, properties } = resourcesOf(today, 'AWS::Lambda::Alias')[0]!;
    const next = without(without(today, alias), properties.FunctionName.Ref);
    expect(issuesOf(next)).toHaveLength(2);
    expect(issuesOf(next, { ...release(), retired: [properties.FunctionName.Ref] })).toEqual([]);
  });
});
