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

test('a deployment of the last release keeps everything it holds when it is upgraded to this', () => {
  expect(upgradeIssues(released, today)).toEqual([]);
});

test('what the last release deployed is written down with all that holds something', () => {
  const types = new Set(Object.values(released.template.Resources).map(({ Type }) => Type));
  for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::Lambda::Alias', 'AWS::ApiGateway::RestApi']) {
    expect(types).toContain(type);
  }
});

describe('an upgrade is refused that', () => {
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
  const faults = (next: Template, last = release()) => upgradeIssues(last, next);

  test.each(['UploadsBucket', 'VideosBucket', 'VideosTable', 'WanApiKey', 'StateMachine', 'RestApi'])(
    'deletes %s, or gives it another id',
    (id) => {
      expect(faults(without(today, id))).toEqual([expect.stringMatching(`^${id} \\(.*\\) would be deleted\\.$`)]);
    },
  );

  test('replaces the table, a bucket or the state machine', () => {
    expect(faults(withProperties('VideosTable', { KeySchema: [] }))).toEqual([
      'VideosTable (AWS::DynamoDB::Table) would be replaced because its KeySchema changes.',
    ]);
    expect(faults(withProperties('VideosBucket', { BucketName: 'mine' }))).toHaveLength(1);
    expect(faults(withProperties('StateMachine', { StateMachineName: 'another' }))).toHaveLength(1);
    expect(faults(changed('VideosBucket', () => ({ Type: 'AWS::S3Express::DirectoryBucket' })))).toEqual([
      'VideosBucket would become a AWS::S3Express::DirectoryBucket.',
    ]);
  });

  test('lets go of what was retained', () => {
    expect(faults(changed('VideosBucket', () => ({ DeletionPolicy: 'Delete' })))).toEqual([
      'VideosBucket (AWS::S3::Bucket) would lose its DeletionPolicy Retain.',
    ]);
  });

  test('takes away an index that code of the release asks, or makes two at once', () => {
    const indexes = today.Resources.VideosTable!.Properties!.GlobalSecondaryIndexes as { IndexName: string }[];
    expect(faults(withProperties('VideosTable', { GlobalSecondaryIndexes: indexes.slice(1) }))).toHaveLength(1);
    const one = { ...indexes[0]!, IndexName: 'one' };
    expect(faults(withProperties('VideosTable', { GlobalSecondaryIndexes: [...indexes, one] }))).toEqual([]);
    const two = [...indexes, one, { ...one, IndexName: 'two' }];
    expect(faults(withProperties('VideosTable', { GlobalSecondaryIndexes: two }))).toHaveLength(1);
  });

  test('removes a function that executions under way may call, unless the release before had retired it', () => {
    const { id: alias, properties } = resourcesOf(today, 'AWS::Lambda::Alias')[0]!;
    const next = without(without(today, alias), properties.FunctionName.Ref);
    expect(faults(next)).toHaveLength(2);
    expect(faults(next, { ...release(), retired: [properties.FunctionName.Ref] })).toEqual([]);
  });
});
