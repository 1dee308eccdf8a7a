import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Template } from '../../infra/synth/render-template.ts';
import { synthesize } from '../../infra/synth/synthesize.ts';
import { companySettings } from '../infra/support.ts';
import { pythonWith } from '../support/python.ts';

/* Programs that check CloudFormation templates, on the templates of settings that together create every resource. */

const variants: Readonly<Record<string, object>> = {
  default: {},
  'every-option': {
    auth: 'jwt',
    jwt: { issuer: 'https://id.example', audience: 'firstframe' },
    waf: { requestsPer5Minutes: 1000 },
    apiConcurrency: 10,
    alarmEmail: 'operator@example.com',
    removalPolicy: 'destroy',
    ...companySettings,
  },
  iam: { auth: 'iam' },
};

/** The findings of cfn-lint that are right but change nothing: rule, location, reason. */
const justified: readonly [rule: string, location: RegExp, reason: string][] = [
  ['W3005', /^Resources\/\w+\/DependsOn\/\d+$/, 'The CDK names a role in DependsOn that a reference already implies.'],
  ['I1022', /\/Fn::Join\/0$/, 'The CDK writes Fn::Join where Fn::Sub would be shorter.'],
];

let programs: string;
let directory: string;
let templates: Map<string, Template>;
/** The templates as deployed, and without the justifications for checkov. */
let files: { deployed: string[]; bare: string[] };
beforeAll(async () => {
  // Both need boto3, and work with the same version.
  programs = await pythonWith('cfn-lint==1.58.0', 'checkov==3.3.30');
  directory = await mkdtemp(path.join(tmpdir(), 'firstframe-template-'));
  templates = new Map();
  for (const [name, context] of Object.entries(variants)) {
    const { template } = await synthesize({ context: { ...context } });
    templates.set(name, template);
  }
  files = {
    deployed: await write('', (template) => template),
    bare: await write('-bare', withoutJustifications),
  };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Writes the templates into the directory. @returns the names of the files */
const write = (suffix: string, content: (template: Template) => Template): Promise<string[]> =>
  Promise.all(
    [...templates].map(async ([name, template]) => {
      const file = path.join(directory, `${name}${suffix}.json`);
      await writeFile(file, JSON.stringify(content(template), null, 1));
      return file;
    }),
  );

/** Returns what a program prints. Its exit status is not zero when it has findings. */
const outputOf = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(path.join(programs, program), args, { maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      if (stdout.trim()) resolve(stdout);
      else reject(new Error(`${program} printed no result: ${stderr}`, { cause: error }));
    });
  });

test('cfn-lint finds nothing that is not justified, and everything that is', async () => {
  interface Finding {
    Rule: { Id: string };
    Message: string;
    Location: { Path: (string | number)[] };
  }
  const regions = ['us-east-1', 'eu-central-1', 'ap-southeast-1'];
  const options = ['--format', 'json', '--include-checks', 'I', '--regions', ...regions];
  const findings = (JSON.parse(await outputOf('cfn-lint', [...options, '--', ...files.deployed])) as Finding[]).map(
    ({ Rule, Message, Location }) => ({ rule: Rule.Id, location: Location.Path.join('/'), message: Message }),
  );
  const covers = ([rule, location]: (typeof justified)[number], finding: (typeof findings)[number]) =>
    rule === finding.rule && location.test(finding.location);
  expect(findings.filter((finding) => !justified.some((entry) => covers(entry, finding)))).toEqual([]);
  expect(justified.filter((entry) => !findings.some((finding) => covers(entry, finding)))).toEqual([]);
});

interface Skip {
  id: string;
  comment: string;
}

/** Returns the justifications of a resource, which `justify` writes. */
const justificationsOf = (template: Template, id: string): Skip[] =>
  (template.Resources[id]!.Metadata as { checkov?: { skip: Skip[] } } | undefined)?.checkov?.skip ?? [];

function withoutJustifications(template: Template): Template {
  const resources = Object.entries(template.Resources).map(([id, { Metadata, ...resource }]) => {
    const { checkov, ...others } = (Metadata ?? {}) as Record<string, unknown>;
    return [id, { ...resource, Metadata: others }];
  });
  return { ...template, Resources: Object.fromEntries(resources) };
}

describe('checkov', () => {
  /** Returns the failed checks as `<template> <logical id> <check>: <name of the check>`. */
  async function failedChecks(paths: readonly string[]): Promise<Map<string, string>> {
    interface Check {
      check_id: string;
      check_name: string;
      file_path: string;
      resource: string;
    }
    const options = ['--framework', 'cloudformation', '--skip-download', '--compact', '--quiet', '--output', 'json'];
    const report = JSON.parse(await outputOf('checkov', [...options, '--file', ...paths])) as {
      summary: { resource_count: number; parsing_errors: number };
      results: { failed_checks: Check[] };
    };
    const resources = [...templates.values()].flatMap(({ Resources }) => Object.keys(Resources));
    expect(report.summary.parsing_errors).toBe(0);
    expect(report.summary.resource_count).toBeGreaterThanOrEqual(resources.length);
    return new Map(
      report.results.failed_checks.map(({ check_id, check_name, file_path, resource }) => [
        `${path.basename(file_path).replace(/(-bare)?\.json$/, '')} ${resource.split('.')[1]} ${check_id}`,
        check_name,
      ]),
    );
  }

  test('fails no check that is not justified at its resource', async () => {
    expect([...(await failedChecks(files.deployed))]).toEqual([]);
  });

  test('fails each justified check without the justification', async () => {
    const failed = await failedChecks(files.bare);
    const unnecessary = [...templates].flatMap(([name, template]) =>
      Object.keys(template.Resources).flatMap((id) =>
        justificationsOf(template, id)
          .map((skip) => `${name} ${id} ${skip.id}`)
          .filter((justification) => !failed.has(justification)),
      ),
    );
    expect(unnecessary).toEqual([]);
    expect(failed.size).toBeGreaterThan(100);
  });

  test('is given a sentence as the reason of each justification', () => {
    for (const template of templates.values()) {
      const skips = Object.keys(template.Resources).flatMap((id) => justificationsOf(template, id));
      expect(skips.length).toBeGreaterThan(0);
      for (const { comment } of skips) expect(comment).toMatch(/^[A-Z].{40,}\.$/s);
    }
  });

  test('needs no justification for what a setting has fixed', () => {
    const text = (name: string) => JSON.stringify(templates.get(name));
    for (const setting of ['the setting kmsKeyArn uses another', 'set accessLogBucket']) {
      expect([setting, text('default').includes(setting)]).toEqual([setting, true]);
      expect([setting, text('every-option').includes(setting)]).toEqual([setting, false]);
    }
  });
});
