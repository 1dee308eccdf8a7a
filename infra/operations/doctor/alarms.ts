import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { type Finding, odd, well, wrong } from './finding.ts';

/** The alarms of a stack: those that ring, and whether any is there at all. */
export async function checkAlarms(cloudWatch: Pick<CloudWatchClient, 'send'>, stackName: string): Promise<Finding[]> {
  const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `${stackName}-` }));
  if (MetricAlarms.length === 0)
    return [odd(`The stack ${stackName} has no alarms.`, 'npm run deploy, with this version.')];
  const ringing = MetricAlarms.filter(({ StateValue }) => StateValue === 'ALARM');
  if (ringing.length === 0) return [well(`${MetricAlarms.length} alarms, none rings.`)];
  return ringing.map(({ AlarmName, AlarmDescription }) =>
    wrong(`${AlarmName} rings.`, AlarmDescription ?? 'See docs/runbook.md.'),
  );
}

/** The API: that it answers. */
export async function checkApi(fetch: typeof globalThis.fetch, url: string): Promise<Finding[]> {
  const address = `${url.replace(/\/$/, '')}/health`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => error);
  if (answer instanceof Error)
    return [wrong(`Nothing answers at ${address}.`, 'Check the address, and that this machine reaches it.')];
  await answer.body?.cancel();
  return [
    answer.status === 200
      ? well(`The API answers at ${url}.`)
      : wrong(`The API answers ${answer.status} at ${address}.`, "Look at the health function's log."),
  ];
}
