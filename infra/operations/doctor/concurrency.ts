import { GetAccountSettingsCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type Finding, failure, ok, warning } from './finding.ts';

/** Lambda refuses a reservation that leaves the account less unreserved concurrency. */
const unreservedMinimum = 100;
/** The default quota of older accounts. New ones have 10. */
const usualQuota = 1000;
/** The functions with the reserved concurrency of `apiConcurrency`: submit and videos. */
const reservedFunctions = 2;

/** Checks that the account's Lambda concurrency in the region is enough for the functions and for `apiConcurrency`. */
export async function checkConcurrency(
  lambda: Pick<LambdaClient, 'send'>,
  apiConcurrency: number | undefined,
): Promise<Finding[]> {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
  const available = AccountLimit?.ConcurrentExecutions ?? 0;
  const reserved = reservedFunctions * (apiConcurrency ?? 0);
  if (reserved > 0 && available < reserved + unreservedMinimum) {
    const most = Math.floor((available - unreservedMinimum) / reservedFunctions);
    return [
      failure(
        `apiConcurrency = ${apiConcurrency} reserves ${reserved} of the account's ${available} concurrent executions, and Lambda requires ${unreservedMinimum} unreserved ones: the deployment fails.`,
        `${most >= 1 ? `Set it to at most ${most}` : 'Remove it'}, or request a higher quota: ${requestOf(Math.max(usualQuota, reserved + unreservedMinimum))}`,
      ),
    ];
  }
  if (available < unreservedMinimum) {
    return [
      warning(
        `All functions of the account share ${available} concurrent executions in this region. One open page of the console uses up to three, so requests will get 502.`,
        `Request a higher quota: ${requestOf(usualQuota)}`,
      ),
    ];
  }
  return [ok(`The account has ${available} concurrent executions of Lambda functions.`)];
}

const requestOf = (desired: number): string =>
  `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value ${desired}`;
