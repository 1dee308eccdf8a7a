/** Runs `npm start` with injected faults. */
import { seedApiKey } from '../../local/aws/seed-api-key.ts';
import { readSettings } from '../../local/settings.ts';
import { startLocal } from '../../local/stack.ts';
import { createAwsFaults } from './aws-faults.ts';
import { openFaultLog } from './fault-log.ts';
import type { FaultPlan } from './fault-plan.ts';
import { openSubjects } from './subject.ts';
import { dropOwner } from './wanted-videos.ts';

const settings = readSettings(process.env);
const plan = JSON.parse(process.env.FAULT_PLAN!) as FaultPlan;
const { directory } = settings;
const faults = createAwsFaults(plan, openFaultLog(directory), openSubjects(directory), directory);
const stack = await startLocal(settings, {
  context: {
    apiThrottle: { rate: 10_000, burst: 5000 },
    ownerThrottle: { rate: 1000, burst: 5000 },
    // Longer than any call to Wan takes here.
    uncertainSeconds: 6,
    drop: { owner: dropOwner, sidecarSeconds: 1 },
  },
  faults: { ...faults, wan_url: plan.wan_url },
  max_concurrency: plan.workers,
});
const table = stack.runtime.stack.all('AWS::DynamoDB::Table')[0]!.name;
for (const [key, owner] of Object.entries(plan.owners))
  await seedApiKey(stack.runtime.dynamoDb, { table, key, owner, now: Date.now() });
// Exits when the parent process was killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 1000).unref();
process.on('SIGUSR2', () => faults.end());
console.log(`  API ${stack.api_url}\n  Wan ${stack.wan_url}\n  AWS ${stack.aws_url}`);
