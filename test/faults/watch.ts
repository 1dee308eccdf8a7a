import { setTimeout as sleep } from 'node:timers/promises';
import type { VideoView } from '../../functions/video/view.ts';
import { ask } from './caller.ts';
import { owners } from './wanted-videos.ts';

/** Polls the API's lists. */
export interface Watch {
  /** All videos by id, as of the last read. */
  videos: ReadonlyMap<string, VideoView>;
  /** Reads all lists once. */
  refresh(): Promise<void>;
  /** Waits for the video of a dropped image. */
  dropped(key: string): Promise<VideoView>;
  /** Waits until a video has ended; undefined when it was deleted. */
  ended(id: string): Promise<VideoView | undefined>;
  close(): Promise<void>;
}

const terminal: ReadonlySet<string> = new Set(['succeeded', 'failed', 'canceled']);
export const hasEnded = (video: VideoView | undefined): boolean => video !== undefined && terminal.has(video.status);

export function watchVideos(api: () => string, everySeconds: number): Watch {
  const videos = new Map<string, VideoView>();
  let closed = false;
  let reads = 0;

  async function listOf(owner: string): Promise<VideoView[]> {
    const found: VideoView[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await ask(api, owner, `/videos?limit=100${cursor}`);
      found.push(...((body.data as VideoView[] | undefined) ?? []));
      if (typeof body.next_cursor !== 'string') return found;
      cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
    }
  }
  const refresh = async () => {
    const lists = await Promise.all(Object.values(owners).map(listOf));
    videos.clear();
    for (const video of lists.flat()) videos.set(video.id, video);
    reads++;
  };
  const watching = (async () => {
    while (!closed) {
      await refresh();
      await sleep(everySeconds * 1000);
    }
  })();
  const until = async <Found>(find: () => Found | undefined): Promise<Found> => {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await sleep(200);
    }
  };

  return {
    videos,
    refresh,
    dropped: (key) =>
      until(() => [...videos.values()].find(({ source }) => source.type === 'drop' && source.key === key)),
    async ended(id) {
      // A list that is being read now may be older than the video.
      const since = reads + 2;
      const { video } = await until(() => {
        const video = videos.get(id);
        return reads >= since && (video === undefined || hasEnded(video)) ? { video } : undefined;
      });
      return video;
    },
    async close() {
      closed = true;
      await watching;
    },
  };
}
