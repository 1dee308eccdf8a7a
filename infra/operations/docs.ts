import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { documentedMessage, referenceCodes, referenceStatus } from '../../functions/api/dashscope/errors.ts';
import { endingsTable, markdownTable, problemsTable } from '../../functions/api/openapi/problem-codes.ts';
import { eventDetailSchema } from '../../functions/events/schema.ts';
import { findModel, models } from '../../functions/wan/catalogue.ts';
import { describeMedia } from '../../functions/wan/media.ts';
import { describeDurations } from '../../functions/wan/output.ts';
import { pricesOf } from '../../functions/wan/prices.ts';
import { regions } from '../../functions/wan/regions.ts';
import { projectRoot } from '../synth/bundle.ts';
import { configurationReference } from './configuration-reference.ts';
import { costPage } from './cost.ts';

const code = (text: string): string => `\`${text}\``;

const codesPage = (): string => `# Codes

Generated from the code by \`npm run docs\`. Codes are stable: programs may branch on them.

## Errors of a video

A video that failed or was canceled has an \`error\` with \`code\`, \`message\`, \`hint\`, \`retryable\` (the same request may succeed another time),
\`billed\` (Wan has charged, or may have charged) and, if there is one, Wan's \`request_id\`. The code of a drop whose settings or image were
refused is that of its first issue.

${endingsTable}

## Problems

Responses of the API, as \`application/problem+json\`. Its \`type\` is \`urn:firstframe:problem:<code>\`.

Those of the gateway, before a request reaches its handler, are \`application/json\` for every route, the DashScope routes included. They have
the members of both protocols: those of a problem, and \`message\`. The gateway also sends \`unauthorized\` and \`internal_error\`.

${problemsTable}

## Errors of the DashScope routes

Responses of \`/api/v1/…\` as \`{code, message, request_id}\`. A spending limit is an \`Arrearage\`, which no client retries.

${markdownTable(
  ['code', 'status', 'message'],
  referenceCodes.map((name) => [code(name), referenceStatus(name), documentedMessage(name)]),
)}
`;

const singapore = { region: 'singapore', base_url: regions.singapore.base_url, prices: {} } as const;

/** The models with what they accept, and the list price of a second in Singapore. */
function modelsTable(): string {
  const rows = models.map(({ name }) => {
    const { resolutions, default_resolution, durations, audio, rate_limits, prompt_limit, media } = findModel(name);
    const { tiers, as_of } = pricesOf(name, singapore);
    return [
      code(name),
      resolutions.map((tier) => (tier === default_resolution ? `**${tier}**` : tier)).join(', '),
      describeDurations(durations),
      audio ? 'yes' : 'no',
      describeMedia(media),
      prompt_limit,
      resolutions.every((tier) => tiers[tier] !== undefined)
        ? `${resolutions.map((tier) => `$${tiers[tier]}`).join(', ')} (${as_of})`
        : 'unknown',
      `${rate_limits.concurrent_tasks} tasks, ${rate_limits.submits_per_second} submissions/s`,
    ];
  });
  const head = [
    'model',
    'resolutions (default in bold)',
    'seconds',
    'audio',
    'media',
    'prompt',
    'USD per second',
    'Wan runs',
  ];
  return `${markdownTable(head, rows)}

Prices are Wan's list prices for Singapore with the day on which they were read, in the order of the resolutions. A model is offered only with
a price for each resolution (the setting \`prices\` adds one), and a model of Wan 3.0 only at a workspace's domain (the setting
\`workspaceId\`). \`GET /models\` has the models, limits and prices of the deployment: operators change them, add models and retire them
without a release. \`GET /models/{name}/schema\` has the JSON Schema of requests for a model.

A request for a retired model is a 400 \`model_retired\` that names the successor. In the 30 days before, the video has the warning
\`model_retires_soon\`, a drop has it in its result, and the response has the header \`Sunset\` (RFC 8594). \`submit_slowdown\` of a model is
above 1 while Wan throttles the account and submissions are therefore slower.`;
}

/** The API's guide, which is written by hand, with its table of models. */
async function apiPage(file: string): Promise<string> {
  const written = await readFile(file, 'utf8');
  return written.replace(/(?<=<!-- models -->\n)[\s\S]*(?=<!-- \/models -->)/, `${modelsTable()}\n`);
}

const pages: Readonly<Record<string, (file: string) => string | Promise<string>>> = {
  'api.md': apiPage,
  'codes.md': codesPage,
  'configuration.md': configurationReference,
  'cost.md': costPage,
  'video-event.schema.json': () => `${JSON.stringify(z.toJSONSchema(eventDetailSchema), null, 2)}\n`,
};

/** The pages below `docs/` that are generated, whole or in part, as they must be today. */
export const generatedPages = (): Promise<{ file: string; content: string }[]> =>
  Promise.all(
    Object.entries(pages).map(async ([name, page]) => {
      const file = join(projectRoot, 'docs', name);
      return { file, content: await page(file) };
    }),
  );

if (process.argv[1] === import.meta.filename) {
  for (const { file, content } of await generatedPages()) {
    await writeFile(file, content);
    console.log(`Wrote ${file}`);
  }
}
