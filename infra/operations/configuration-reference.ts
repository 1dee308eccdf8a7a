import * as z from 'zod';
import { regions } from '../../functions/wan/regions.ts';
import { settingsSchema } from '../settings.ts';

const head = `# Configuration

Generated from the schema (\`npm run docs\`). Settings are read from the CDK context: single ones on the command
line (\`-c extraPermits=3\`; anything but plain text is JSON, \`-c 'drop={"owner": "studio"}'\`), or an object under \`firstframe\` in
\`cdk.json\`. An invalid value stops the synthesis with a line that names it.

| setting | default | allowed | |
|---|---|---|---|
`;

const catalogueSection = `
## Models
The file \`catalogue.json\` next to \`cdk.json\` changes the catalogue of models, and adds models to it. An invalid value stops the synthesis.

\`\`\`json
{
  "wan2.1-i2v-plus": { "offered": false },
  "wan2.6-i2v": { "retires_at": "2027-01-31", "replaced_by": "wan2.7-i2v", "limits": { "concurrent_tasks": 2 } },
  "wan2.8-i2v": {
    "family": "wan2.7-i2v",
    "prices": { "currency": "USD", "as_of": "2026-12-01", "per_second": { "720P": 0.12, "1080P": 0.18 } }
  }
}
\`\`\`

| property | |
|---|---|
| \`family\` | for an added model, and only there: the model whose rules and wire format it has |
| \`offered\` | \`false\` refuses requests for the model |
| \`limits\` | \`submits_per_second\` and \`concurrent_tasks\` of your account, either or both |
| \`prices\` | per billed second by resolution, with their \`currency\`, which is that of the region, and the day \`as_of\` on which they were read. A model is offered only with a price for each of its resolutions |
| \`typical_seconds\` | \`base\` + \`per_video_second\` × duration: how long a task takes, until it has been learned |
| \`retires_at\` | the first day (UTC) on which a request is refused. In the 30 days before, a request gets a warning and the header \`Sunset\` |
| \`replaced_by\` | the model that the refusal and the warning name |

\`npm run catalogue\` makes the same changes in a running deployment, without a release: each function sees them within 60 seconds. They
take precedence over the file, the file over \`prices\` and \`limits\` in \`cdk.json\`, and these over the catalogue. \`npm run doctor\` shows
what differs from the file. Retire a model instead of removing its row: its videos may still be queued.

| region | currency | public domain |
|---|---|---|
${Object.entries(regions)
  .map(
    ([name, { currency, base_url }]) =>
      `| ${name} | ${currency} | ${base_url ? new URL(base_url).hostname : 'none: set `workspaceId`'} |`,
  )
  .join('\n')}

With \`workspaceId\` the workspace's own domain is called. Virginia, Hong Kong and Frankfurt have no known prices, so a model is offered
there once \`catalogue.json\`, \`prices\` or the command sets its price.
`;

/** Returns the page of all settings as Markdown. */
export const configurationReference = (): string =>
  `${head}${rowsOf(settingsSchema, '').join('\n')}\n${catalogueSection}`;

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
