import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { settingsSchema } from '../settings.ts';
import { projectRoot } from '../synth/bundle.ts';

export const referenceFile = join(projectRoot, 'docs', 'configuration.md');

const head = `# Configuration

Made from the schema (\`npm run configuration-reference\`). Settings are read from the CDK context: one by one on the command line
(\`-c extraPermits=3\`; what is no plain text is JSON, \`-c 'drop={"owner": "studio"}'\`), or as an object under \`firstframe\` in \`cdk.json\`.
A wrong value ends the synthesis with a line that names it.

| setting | default | allowed | |
|---|---|---|---|
`;

/** The page of all settings, as Markdown. */
export const configurationReference = (): string => `${head}${rowsOf(settingsSchema, '').join('\n')}\n`;

function rowsOf(object: z.ZodObject, path: string): string[] {
  return Object.entries(object.shape).flatMap(([name, schema]) => {
    const setting = schema as z.ZodType;
    const { description = '', otherwise } = (setting.meta() ?? {}) as { description?: string; otherwise?: string };
    const inner = objectWithin(setting);
    const cells = [
      `\`${path}${name}\``,
      otherwise ?? defaultOf(setting, inner),
      inner ? '' : allowedBy(setting),
      description,
    ];
    return [
      `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
      ...(inner ? rowsOf(inner.object, `${path}${name}.${inner.key}`) : []),
    ];
  });
}

/** The members of a setting that is an object, of each value where it is one by names of the operator's choice. */
function objectWithin(setting: z.ZodType): { object: z.ZodObject; key: string } | undefined {
  if (setting instanceof z.ZodObject) return { object: setting, key: '' };
  if (setting instanceof z.ZodRecord && setting.valueType instanceof z.ZodObject)
    return { object: setting.valueType, key: '<model>.' };
  const { innerType } = setting.def as { innerType?: z.ZodType };
  return innerType && objectWithin(innerType);
}

function defaultOf(setting: z.ZodType, inner: unknown): string {
  const { success, data } = setting.safeParse(undefined);
  if (!success) return 'must be given';
  return inner || data === undefined ? '' : `\`${JSON.stringify(data)}\``;
}

/** What a setting's own error says that it must be. */
function allowedBy(setting: z.ZodType): string {
  const refusal = setting.safeParse(Symbol('nothing that is allowed')).error?.issues[0]?.message ?? '';
  return refusal.replace(/^must be (an? )?/, '');
}

if (process.argv[1] === import.meta.filename) await writeFile(referenceFile, configurationReference());
