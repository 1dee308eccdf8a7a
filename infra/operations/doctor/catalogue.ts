import * as z from 'zod';
import { limitsOf } from '../../../functions/queue/model-queue.ts';
import { readRowChanges, readTrustedHosts } from '../../../functions/video/catalogue-changes.ts';
import type { Table } from '../../../functions/video/table.ts';
import { changeOf, mergeChanges, retirementOf, rowNames, rowOf } from '../../../functions/wan/changes.ts';
import { type Deployment, offeredModels } from '../../../functions/wan/prices.ts';
import { regions, sharedDomain } from '../../../functions/wan/regions.ts';
import type { Configuration } from '../../config.ts';
import { type Finding, ok, warning } from './finding.ts';

type Settings = Pick<Configuration, 'catalogue' | 'region' | 'videoHosts' | 'drop'>;

/** Reports what operators changed in the running deployment and the files do not have, and models that are retired soon. */
export async function checkCatalogue(
  table: Table,
  { catalogue, region, videoHosts, drop }: Settings,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const stored = await readRowChanges(table);
  for (const [name, change] of Object.entries(stored)) {
    const inFile: Record<string, unknown> = changeOf(name, catalogue);
    for (const [property, value] of Object.entries(change)) {
      if (JSON.stringify(inFile[property]) === JSON.stringify(value)) continue;
      const other = inFile[property] === undefined ? 'no value' : JSON.stringify(inFile[property]);
      findings.push(
        warning(
          `${name}: ${property} is ${JSON.stringify(value)} in this deployment; catalogue.json has ${other}.`,
          'Put it into catalogue.json, so that another deployment has it.',
        ),
      );
    }
  }
  for (const host of await readTrustedHosts(table))
    if (!videoHosts.includes(host))
      findings.push(
        warning(
          `The host ${host} is trusted in this deployment; the setting videoHosts does not have it.`,
          'Add it there.',
        ),
      );
  const changes = mergeChanges(catalogue, stored);
  for (const name of rowNames(changes)) {
    const row = rowOf(name, changes)!;
    const { currency } = regions[region];
    const prices = changeOf(name, changes).prices;
    if (prices && prices.currency !== currency)
      findings.push(
        warning(
          `The prices of ${name} are in ${prices.currency}, so they do not count: ${region} has ${currency}.`,
          `npm run catalogue -- price ${name} ${currency} ${row.resolutions.map((tier) => `${tier}=N`).join(' ')}`,
        ),
      );
    const retirement = retirementOf(row, table.now());
    if (retirement === undefined || (retirement === 'retired' && drop.model !== name)) continue;
    findings.push(
      warning(
        `${name} ${retirement === 'soon' ? 'will be refused from' : 'is refused since'} ${row.retires_at}.${drop.model === name ? ' It is the model of drops.' : ''}`,
        `Use ${row.replaced_by ?? 'another model'} in requests, settings of drops and the setting drop.model.`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok('The catalogue of models is that of catalogue.json; no model is retired soon.')];
}

const quotaResponse = z.object({
  output: z.object({
    quotas: z.array(
      z.object({
        model: z.string(),
        model_limit: z.object({
          request_limit: z.number().nullish(),
          request_limit_period: z.number().positive().nullish(),
          async_user_concurrency_limit: z.number().nullish(),
        }),
      }),
    ),
  }),
});

/** Compares the limits of the offered models with those that Wan reports for the account. Only workspace domains report them. */
export async function checkAccountLimits(
  fetch: typeof globalThis.fetch,
  deployment: Deployment,
  { key, limits }: { key: string; limits: Configuration['limitSettings'] },
): Promise<Finding[]> {
  const { base_url, changes = {} } = deployment;
  if (sharedDomain.test(new URL(base_url).hostname)) return [];
  const findings: Finding[] = [];
  let compared = 0;
  for (const row of offeredModels(deployment)) {
    const { name } = row;
    const response = await fetch(`${base_url}/quotas?${new URLSearchParams({ model: name })}`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(10_000),
    });
    const parsed = quotaResponse.safeParse(await response.json().catch(() => undefined));
    const quota = parsed.data?.output.quotas.find(({ model }) => model === name)?.model_limit;
    if (!response.ok || !quota) continue;
    compared += 1;
    const own = limitsOf(row, limits, changeOf(name, changes).limits);
    const perSecond = quota.request_limit && quota.request_limit / (quota.request_limit_period ?? 1);
    const lower = [
      ...(perSecond && 1000 / own.submit_interval_ms > perSecond ? [`submits_per_second=${perSecond}`] : []),
      ...(quota.async_user_concurrency_limit && own.concurrent_tasks > quota.async_user_concurrency_limit
        ? [`concurrent_tasks=${quota.async_user_concurrency_limit}`]
        : []),
    ];
    if (lower.length > 0)
      findings.push(
        warning(
          `Wan allows the account less than the limits of ${name}: ${lower.join(', ')}.`,
          `npm run catalogue -- limit ${name} ${lower.join(' ')}`,
        ),
      );
  }
  if (findings.length > 0 || compared === 0) return findings;
  return [ok(`Wan allows the account the limits of ${compared} models.`)];
}
