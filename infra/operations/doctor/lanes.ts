import { laneOf, readLane } from '../../../functions/queue/model-queue.ts';
import type { LaneLimits } from '../../../functions/shared/environment.ts';
import type { Table } from '../../../functions/video/table.ts';
import { models, offeredModelNames } from '../../../functions/wan/catalogue.ts';
import { type Finding, odd, well, wrong } from './finding.ts';

/** The lanes: whether one is held, and whether more runs than is allowed. */
export async function checkLanes(table: Table, limits: LaneLimits): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const model of models.filter(({ name }) => offeredModelNames.some((offered) => offered === name))) {
    const lane = laneOf(model, limits);
    const { running, held_until, held_reason } = await readLane(table, model.name);
    if (held_until && Date.parse(held_until) > table.now()) {
      findings.push(
        wrong(
          `${model.name} waits until ${held_until}: ${held_reason}`,
          "Mend what Wan refuses (its key, the account's balance); the lane tries again by itself each minute.",
        ),
      );
    }
    if (running.size > lane.permits) {
      findings.push(
        odd(
          `${model.name} has ${running.size} videos under way with ${lane.permits} permits.`,
          'Right after limits were lowered this is to be expected; else wait for the next sweep (5 minutes).',
        ),
      );
    }
  }
  return findings.length > 0 ? findings : [well(`No lane is held; limits: ${describe(limits)}.`)];
}

const describe = ({ extra_permits, models: own }: LaneLimits): string =>
  `the documented ones${Object.keys(own).length > 0 ? ` but for ${Object.keys(own).join(', ')}` : ''}, ${extra_permits} permits above them`;
