import type { Link } from './api.ts';
import { find, whenInView } from './dom.ts';

/** A link is asked for anew well before it ends: a video is fetched in several pieces as it plays. */
const marginMilliseconds = 60_000;

/**
 * Lets a card play its archived video. The link is asked for when the card comes into view, and again when it has expired; where
 * the video stood, it goes on. Its controls appear once it was started: before, they would lie over its picture.
 * @param name what the video is called for those who don't see it
 * @param link asks for a link; undefined when there is none to be had
 */
export function playFilm(card: ParentNode, name: string, link: () => Promise<Link | undefined>): void {
  const film = find(card, 'video', HTMLVideoElement);
  const start = find(card, '.start', HTMLButtonElement);
  let expiresAt = 0;
  let loading: Promise<void> | undefined;
  const holds = () => Date.now() < expiresAt - marginMilliseconds;

  async function load(): Promise<void> {
    if (holds()) return;
    loading ??= fetchLink().finally(() => {
      loading = undefined;
    });
    await loading;
  }

  async function fetchLink(): Promise<void> {
    const found = await link();
    if (!found) return;
    expiresAt = found.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(found.expires_at);
    // With a moment named, Safari shows a picture before it plays.
    film.src = `${found.url}#t=${film.currentTime || 0.001}`;
  }

  /** Where the browser doesn't let it play, the controls are there. */
  const play = () => film.play().catch(() => undefined);

  film.hidden = false;
  film.ariaLabel = name;
  start.hidden = false;
  start.ariaLabel = `Play: ${name}`;
  start.addEventListener('click', async () => {
    await load();
    if (!film.src) return;
    film.controls = true;
    start.hidden = true;
    film.focus();
    await play();
  });
  film.addEventListener('error', async () => {
    // A link that holds and yet fails would be asked for without end.
    if (!film.src || holds()) return;
    await load();
    if (film.controls) await play();
  });
  whenInView(film, () => void load());
}
