import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { MiniStack } from './ministack.ts';

/** The project's CDK CLI, configured for MiniStack. */
export interface Cdk {
  bootstrap(): Promise<void>;
  /** @returns the stack's outputs, and whether anything changed */
  deploy(context: Record<string, unknown>): Promise<{ outputs: Outputs; changed: boolean }>;
}

export type Outputs = Record<string, string>;

/**
 * @param directory receives the assemblies and the outputs
 * @param log receives all output of the CLI
 */
export function cdkFor(ministack: MiniStack, directory: string, log: NodeJS.WritableStream): Cdk {
  const cdk = async (...args: string[]): Promise<string> => {
    const cli = path.resolve('node_modules', 'aws-cdk', 'bin', 'cdk');
    const child = spawn(process.execPath, [cli, ...args], {
      env: { ...process.env, ...ministack.environment, CI: 'true', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed.push(chunk.toString());
        log.write(chunk);
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    const text = printed.join('');
    if (code !== 0) throw new Error(`cdk ${args[0]} ended with ${code}:\n${text.slice(-4000)}`);
    return text;
  };
  return {
    async bootstrap() {
      await cdk('bootstrap', '--output', path.join(directory, 'bootstrap.out'));
    },
    async deploy(context) {
      // Each deployment has its own files, so that two can run concurrently.
      const assembly = await mkdtemp(path.join(directory, 'cdk.out-'));
      const outputsFile = path.join(assembly, 'outputs.json');
      const settings = Object.entries(context).flatMap(([name, value]) => [
        '-c',
        `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ]);
      await cdk('synth', '--quiet', '--output', assembly, ...settings);
      await replaceMetricMath(assembly);
      const options = ['--require-approval', 'never', '--outputs-file', outputsFile];
      const text = await cdk('deploy', '--app', assembly, ...options);
      const [outputs] = Object.values(JSON.parse(await readFile(outputsFile, 'utf8')) as Record<string, Outputs>);
      return { outputs: outputs!, changed: !/no changes/i.test(text) };
    },
  };
}

interface Alarm {
  Type: string;
  Properties?: { Metrics?: { MetricStat?: { Metric: object; Period: number; Stat: string } }[] };
}

/** Gives each alarm on metric math, which MiniStack does not support, the first metric of its expression instead. */
async function replaceMetricMath(assembly: string): Promise<void> {
  for (const name of await readdir(assembly)) {
    if (!name.endsWith('.template.json')) continue;
    const file = path.join(assembly, name);
    const template = JSON.parse(await readFile(file, 'utf8')) as { Resources: Record<string, Alarm> };
    for (const { Type, Properties } of Object.values(template.Resources)) {
      if (Type !== 'AWS::CloudWatch::Alarm' || !Properties?.Metrics) continue;
      const { Metrics, ...others } = Properties;
      const { Metric, Period, Stat } = Metrics.find(({ MetricStat }) => MetricStat)!.MetricStat!;
      for (const key of Object.keys(Properties)) delete (Properties as Record<string, unknown>)[key];
      Object.assign(Properties, others, Metric, { Period, Statistic: Stat });
    }
    await writeFile(file, JSON.stringify(template));
  }
}
