import { readDelivery } from '../../../functions/events/deliveries.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { type Table, updateItem } from '../../../functions/video/table.ts';
import { type Finding, failure, ok, warning } from '../doctor/finding.ts';
import { poll } from './requests.ts';

/** A name that no resolver knows (RFC 6761): the attempt shows that the event arrived, and reaches no one. */
export const unreachableWebhook = 'https://firstframe-smoke.invalid/';

/** After this time dispatch queues an event whose message was lost, and the attempt shows nothing about the rule. */
const LOST_SECONDS = 300;

/** Checks that the event of a video's ending took the way of every webhook: bus, rule, queue, deliver. Ends its delivery. */
export async function checkEvents(table: Table, { id, timeline }: VideoRecord): Promise<Finding[]> {
  const sequence = timeline.length;
  const delivery = await poll(
    async () => {
      const found = await readDelivery(table, id, sequence);
      return found && found.attempts > 0 ? found : undefined;
    },
    { seconds: LOST_SECONDS + 120, every: 1 },
  );
  if (await readDelivery(table, id, sequence)) await endDelivery(table, id, sequence);
  if (!delivery)
    return [
      failure(
        'The event of the ending reached no webhook within 7 minutes.',
        'npm run doctor, and the logs of deliver and dispatch',
      ),
    ];
  const [{ at, error = 'an answer' }] = delivery.last_attempts as [(typeof delivery.last_attempts)[number]];
  const seconds = (Date.parse(at) - Date.parse(timeline.at(-1)!.at)) / 1000;
  return [
    seconds < LOST_SECONDS
      ? ok(`The event of the ending was sent to its webhook after ${seconds.toFixed(1)} s (${error}, as expected).`)
      : warning(
          `The event of the ending was sent to its webhook only after ${Math.round(seconds)} s, by dispatch: the rule or the queue lost it.`,
          'See the rule WebhookWanted and the dead letters: docs/runbook.md#dead-letters',
        ),
  ];
}

/** Otherwise the attempts would go on for a day, and then ring an alarm. */
async function endDelivery(table: Table, id: string, sequence: number): Promise<void> {
  await updateItem(table, keys.delivery(id, sequence), {
    UpdateExpression: 'SET #state = :dropped REMOVE open_status, open_order',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':dropped': 'dropped' },
  });
}
