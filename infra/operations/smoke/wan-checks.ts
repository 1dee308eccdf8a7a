import type { VideoRecord } from '../../../functions/video/record.ts';
import { createWanClient } from '../../../functions/wan/client/client.ts';
import { hostOfLink, type TrustedHosts, trustedVideoUrl } from '../../../functions/wan/video-host.ts';
import { type Finding, failure, ok, warning } from '../doctor/finding.ts';
import { poll } from './requests.ts';

export interface WanAccess {
  baseUrl: string;
  key: string;
  fetch: typeof globalThis.fetch;
}

/** How long a lost response is searched for in the list (`uncertainSeconds`): a task must be listed by then. */
const LIST_SECONDS = 120;

/**
 * Checks what the search for a lost response assumes: Wan's list shows a new task soon, and the task has the prompt unchanged.
 * @param prompt never part of a finding
 */
export async function checkTaskList(
  { baseUrl, key, fetch }: WanAccess,
  task: { id: string; submit_time: string; model: string },
  prompt: string,
): Promise<Finding[]> {
  const wan = createWanClient({ baseUrl, apiKey: async () => key, fetch });
  const submitted = Date.parse(task.submit_time);
  const list = async (clock: 'utc' | 'wan') => {
    const response = await wan.listTasks({
      model: task.model,
      start_time: new Date(submitted - 5 * 60_000).toISOString(),
      end_time: new Date(submitted + 10 * 60_000).toISOString(),
      clock,
    });
    return response.outcome === 'tasks' ? response.tasks.some(({ task_id }) => task_id === task.id) : false;
  };
  const first = Date.now();
  let attempts = 0;
  const found = await poll(
    async () => {
      attempts++;
      const [utc, local] = [await list('utc'), await list('wan')];
      return utc || local ? { utc, local, at: Date.now() } : undefined;
    },
    { seconds: LIST_SECONDS, every: 1 },
  );
  const findings: Finding[] = [];
  if (found) {
    const clocks = found.utc && found.local ? 'either clock' : found.utc ? 'UTC' : 'UTC+8';
    const seconds = ((found.at - submitted) / 1000).toFixed(1);
    const when = attempts === 1 ? `at the first request, ${((first - submitted) / 1000).toFixed(1)} s` : `${seconds} s`;
    findings.push(ok(`Wan's list showed the new task ${when} after its submission; it reads times as ${clocks}.`));
  } else {
    findings.push(
      failure(
        `Wan's list did not show the new task within ${LIST_SECONDS} s: a lost response could be paid twice.`,
        'Raise uncertainSeconds (at most 1800) in cdk.json, deploy, and run the smoke test again.',
      ),
    );
  }
  const queried = await wan.queryTask(task.id);
  if (queried.outcome !== 'task') {
    findings.push(
      warning(`Wan did not answer the query of the task (${queried.outcome}).`, 'Run the smoke test again.'),
    );
  } else if (queried.orig_prompt === prompt) {
    findings.push(ok('The task has the prompt unchanged as orig_prompt, by which a lost response is found.'));
  } else {
    const what = queried.orig_prompt === undefined ? 'has no orig_prompt' : 'has another orig_prompt than the one sent';
    findings.push(
      failure(
        `The task ${what}: a lost response could be paid twice.`,
        'Report it as a defect, with the model. Until it is fixed, avoid equal prompts.',
      ),
    );
  }
  return findings;
}

/** Checks where Wan stores results. Reports the host only: the rest of the link is secret. */
export async function checkResultHost(
  { baseUrl, key, fetch }: WanAccess,
  task: { id: string },
  hosts: TrustedHosts,
): Promise<Finding[]> {
  const queried = await createWanClient({ baseUrl, apiKey: async () => key, fetch }).queryTask(task.id);
  if (queried.outcome !== 'task' || !queried.video_url)
    return [warning('Wan did not return the result of the finished task again.', 'Run the smoke test again.')];
  const host = hostOfLink(queried.video_url);
  return trustedVideoUrl(queried.video_url, hosts)
    ? [ok(`Wan's result is on the known host ${host}.`)]
    : [failure(`Wan's result is on the unknown host ${host}.`, `If it is Wan's: -c 'videoHosts=["${host}"]'`)];
}

/** Reports the length of links that were presigned with a role's session token, as those to images are that Wan fetches. */
export function describeLinks(link: string, imageTransfer: 'url' | 'upload', video: VideoRecord): Finding[] {
  const length = `A link that a function presigned has ${link.length} characters`;
  if (video.status !== 'succeeded')
    return [warning(`${length}; whether Wan accepts one is unknown, since no video succeeded.`, 'Run it again.')];
  return [
    imageTransfer === 'url'
      ? ok(`${length}; Wan fetched the image by such a link.`)
      : ok(`${length}; Wan gets none, since imageTransfer is upload.`),
  ];
}
