import { GetAccountSettingsCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { limitsOf } from '../../../functions/queue/model-queue.ts';
import type { LimitSettings } from '../../../functions/shared/environment.ts';
import { models } from '../../../functions/wan/catalogue.ts';
import type { Configuration } from '../../config.ts';
import type { AwsCall } from '../aws-call.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

/** Lambda refuses a reservation that leaves the account less unreserved concurrency. */
const unreservedMinimum = 100;
/** The default quota of older accounts. New ones have 10. */
const usualQuota = 1000;
/** The functions with the reserved concurrency of `apiConcurrency`: submit and videos. */
const reservedFunctions = 2;

/** The share of the account's executions that waiting requests may occupy. */
const longPollShare = 1 / 3;
/** The executions that queues may occupy: the sum of `MaximumConcurrency`, two for drops and four for webhooks. */
export const queueExecutions = 6;
/** What must be left for the workflow and for requests that do not wait. */
const otherExecutions = 3;

/** Checks that the account's Lambda concurrency in the region is enough for the functions, `apiConcurrency` and `longPolls`. */
export async function checkConcurrency(
  lambda: Pick<LambdaClient, 'send'>,
  { apiConcurrency, longPolls }: Pick<Configuration, 'apiConcurrency' | 'longPolls'>,
): Promise<Finding[]> {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
  const available = AccountLimit?.ConcurrentExecutions ?? 0;
  const reserved = reservedFunctions * (apiConcurrency ?? 0);
  if (reserved > 0 && available < reserved + unreservedMinimum) {
    const most = Math.floor((available - unreservedMinimum) / reservedFunctions);
    return [
      failure(
        `apiConcurrency = ${apiConcurrency} reserves ${reserved} of the account's ${available} concurrent executions, and Lambda requires ${unreservedMinimum} unreserved ones: the deployment fails.`,
        `${most >= 1 ? `Set it to at most ${most}` : 'Remove it'}, or request a higher quota: ${requestOf('lambda', 'L-B99A9384', Math.max(usualQuota, reserved + unreservedMinimum))}`,
      ),
    ];
  }
  const findings: Finding[] = [];
  const mostLongPolls = Math.max(
    1,
    Math.min(Math.floor(available * longPollShare), available - queueExecutions - otherExecutions),
  );
  if (longPolls.total > mostLongPolls) {
    findings.push(
      warning(
        `longPolls.total = ${longPolls.total}: waiting requests may occupy too many of the account's ${available} concurrent executions. Drops and webhooks occupy up to ${queueExecutions}, and the workflow and other requests need some.`,
        `Set "longPolls": {"total": ${mostLongPolls}, "perOwner": ${Math.max(1, Math.min(longPolls.per_owner, Math.ceil(mostLongPolls / 2)))}} or less, or request a higher quota: ${requestOf('lambda', 'L-B99A9384', usualQuota)}`,
      ),
    );
  }
  if (available < unreservedMinimum) {
    findings.push(
      warning(
        `All functions of the account share ${available} concurrent executions in this region. One open page of the console uses up to three, drops and webhooks up to ${queueExecutions}, so requests will get 502.`,
        `Request a higher quota: ${requestOf('lambda', 'L-B99A9384', usualQuota)}`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok(`The account has ${available} concurrent executions of Lambda functions.`)];
}

const requestOf = (service: string, code: string, desired: number): string =>
  `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${desired}`;

/** The documented default of most regions for both quotas. New accounts have less, and AWS raises theirs with use. */
const usualTransitions = 800;
/** Transitions of one execution in a row without a wait: from its start to the wait for the task, or from there to its end. */
const transitionsInARow = 6;

interface Quota {
  QuotaCode: string;
  QuotaName: string;
  Value: number;
}

/**
 * Checks Step Functions' token bucket for state transitions, which all executions of the account and region share. With too small
 * a bucket, executions proceed later but do not fail. Service Quotas names the quotas, so that no code needs to be known.
 */
export async function checkTransitions(aws: AwsCall, limits: LimitSettings): Promise<Finding[]> {
  // Only quotas that were ever changed have an applied value.
  const applied = await listQuotas(aws, 'ListServiceQuotas');
  const defaults = applied.length === 2 ? [] : await listQuotas(aws, 'ListAWSDefaultServiceQuotas');
  const quotas = ['bucket size', 'refill rate per second'].flatMap(
    (name) => [...applied, ...defaults].find(({ QuotaName }) => QuotaName.endsWith(name)) ?? [],
  );
  if (quotas.length < 2) {
    return [
      warning(
        'Service Quotas lists no quota for the state transitions of Step Functions in this region.',
        'aws service-quotas list-service-quotas --service-code states',
      ),
    ];
  }
  const permits = models.reduce((sum, model) => sum + limitsOf(model, limits).permits, 0);
  const needed = Math.min(usualTransitions, permits * transitionsInARow);
  return quotas.map(({ QuotaCode, QuotaName, Value }) =>
    Value < needed
      ? warning(
          `Step Functions: ${QuotaName} is ${Value}. When all ${permits} permits are used at the same time, ${needed} are needed; with less, executions proceed later.`,
          `AWS raises it with use, or on request: ${requestOf('states', QuotaCode, usualTransitions)}`,
        )
      : ok(`Step Functions: ${QuotaName} is ${Value}.`),
  );
}

async function listQuotas(aws: AwsCall, operation: string): Promise<Quota[]> {
  const found: Quota[] = [];
  let NextToken: string | undefined;
  do {
    const body = await aws({
      service: 'servicequotas',
      target: `ServiceQuotasV20190624.${operation}`,
      input: { ServiceCode: 'states', MaxResults: 100, ...(NextToken ? { NextToken } : {}) },
    });
    const page = JSON.parse(body) as { Quotas?: Quota[]; NextToken?: string | null };
    found.push(...(page.Quotas ?? []));
    NextToken = page.NextToken ?? undefined;
  } while (NextToken);
  return found.filter(({ QuotaName }) => /^StateTransition throttle token /.test(QuotaName));
}
