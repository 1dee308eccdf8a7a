import type { Link } from './api.ts';
import { find, onceVisible } from './dom.ts';

/** Links are renewed this long before they expire: a browser fetches a playing video in several requests. */
const marginMilliseconds = 60_000;

/**
 * Lets a card play its archived video. The link is fetched when the card becomes visible, and again after it expired; playback
 * continues at the same position. Controls appear with the first playback, since they would cover the poster.
 * @param name accessible name of the video
 * @param link fetches a link; undefined when there is none
 * @param failed called when the browser cannot play the video
 */
export function createVideoPlayer(
  card: ParentNode,
  name: string,
  link: () => Promise<Link | undefined>,
  failed: () => void,
): void {
  const player = find(card, 'video', HTMLVideoElement);
  const playButton = find(card, '.play-button', HTMLButtonElement);
  let expiresAt = 0;
  let loading: Promise<void> | undefined;
  const isValid = () => Date.now() < expiresAt - marginMilliseconds;

  async function load(): Promise<void> {
    if (isValid()) return;
    loading ??= fetchLink().finally(() => {
      loading = undefined;
    });
    await loading;
  }

  async function fetchLink(): Promise<void> {
    const found = await link();
    if (!found) return;
    expiresAt = found.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(found.expires_at);
    // Safari shows a frame before playback only at a given time.
    player.src = `${found.url}#t=${player.currentTime || 0.001}`;
  }

  /** Where the browser blocks playback, the controls are visible. */
  const play = () => player.play().catch(() => undefined);

  player.hidden = false;
  player.ariaLabel = name;
  playButton.hidden = false;
  playButton.ariaLabel = `Play: ${name}`;
  playButton.addEventListener('click', async () => {
    await load();
    if (!player.src) return;
    player.controls = true;
    playButton.hidden = true;
    player.focus();
    await play();
  });
  player.addEventListener('error', async () => {
    if (!player.src) return;
    // With a valid link another attempt would fail again.
    if (isValid()) return failed();
    await load();
    if (player.controls) await play();
  });
  onceVisible(player, () => void load());
}
