import * as z from 'zod';
import { settingsSchema } from '../settings.ts';

const head = `# Configuration

Generated from the schema (\`npm run docs\`). Settings are read from the CDK context: single ones on the command
line (\`-c extraPermits=3\`; anything but plain text is JSON, \`-c 'drop={"owner": "studio"}'\`), or an object under \`firstframe\` in
\`cdk.json\`. An invalid value stops the synthesis with a line that names it.

| setting | default | allowed | |
|---|---|---|---|
`;

/** Returns the page of all settings as Markdown. */
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

/** Returns the members of a setting that is an object or a record of objects. */
function objectWithin(setting: z.ZodType): { object: z.ZodObject; key: string } | undefined {
  if (setting instanceof z.ZodObject) return { object: setting, key: '' };
  if (setting instanceof z.ZodRecord && setting.valueType instanceof z.ZodObject)
    return { object: setting.valueType, key: '<model>.' };
  const { innerType } = setting.def as { innerType?: z.ZodType };
  return innerType && objectWithin(innerType);
}

function defaultOf(setting: z.ZodType, inner: unknown): string {
  const { success, data } = setting.safeParse(undefined);
  if (!success) return 'required';
  return inner || data === undefined ? '' : `\`${JSON.stringify(data)}\``;
}

/** Returns the allowed values from the error message of a setting. */
function allowedBy(setting: z.ZodType): string {
  const message = setting.safeParse(Symbol('invalid')).error?.issues[0]?.message ?? '';
  return message.replace(/^must be (an? )?/, '');
}
