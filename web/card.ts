import type { VideoView } from './api.ts';
import { find, say } from './dom.ts';
import { playFilm } from './film.ts';
import { factsInWords, hasEnded, momentInWords, progressNow, remainingInWords, statusWords } from './words.ts';

export interface CardServices {
  /** A link to the archived video; undefined when there is none to be had now. */
  link: (id: string) => Promise<{ url: string; expires_at: string } | undefined>;
  reuse: (video: VideoView) => void;
}

/** A video in the list. */
export interface Card {
  readonly element: HTMLElement;
  readonly video: VideoView;
  /** Shows the video as it is now. */
  update(video: VideoView): void;
  /** Shows what has changed by time alone. */
  tick(): void;
  /** Shows the picture that the video begins with. */
  showPicture(url: string): void;
}

export function createCard(page: Document, first: VideoView, { link, reuse }: CardServices): Card {
  const copy = find(page, '#card', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
  const element = find(copy, '.card', HTMLElement);
  const part = (name: string) => find(element, `.${name}`, HTMLElement);
  const film = find(element, 'video', HTMLVideoElement);
  const frame = find(element, 'img', HTMLImageElement);
  const progress = find(element, 'progress', HTMLProgressElement);
  let video = first;
  let playable = false;

  part('open').addEventListener('click', async () => {
    const found = await link(video.id);
    if (found)
      Object.assign(document.createElement('a'), { href: found.url, target: '_blank', rel: 'noopener' }).click();
  });
  part('again').addEventListener('click', () => reuse(video));

  function update(now: VideoView): void {
    video = now;
    const { status, error, warnings, input } = video;
    element.dataset.status = status;
    part('status').textContent = statusWords[status];
    part('when').textContent = momentInWords(video.created_at);
    part('when').hidden = !hasEnded(video);
    progress.hidden = hasEnded(video);
    tick();
    say(part('prompt'), input.prompt ?? 'No prompt');
    part('failure').hidden = !error;
    part('failure-message').textContent = error?.message ?? '';
    part('failure-hint').textContent = error
      ? [error.hint, error.billed ? 'Wan has charged for it.' : 'It cost nothing.'].join(' ')
      : '';
    part('warnings').hidden = warnings.length === 0;
    part('warnings').replaceChildren(...warnings.map(({ message }) => lineOf(message)));
    part('facts').textContent = factsInWords(video);
    part('again').hidden = !hasEnded(video);
    part('open').hidden = status !== 'succeeded';
    if (status === 'succeeded' && !playable) {
      playable = true;
      frame.hidden = true;
      playFilm(element, input.prompt ?? 'the video', () => link(video.id));
    }
  }

  function tick(): void {
    say(part('remaining'), hasEnded(video) ? undefined : remainingInWords(video.estimated_finish_at, Date.now()));
    progress.value = progressNow(video, Date.now());
  }

  update(first);

  return {
    element,
    get video() {
      return video;
    },
    update,
    tick,
    showPicture(url) {
      film.poster = url;
      frame.src = url;
      frame.hidden = playable;
    },
  };
}

function lineOf(text: string): HTMLLIElement {
  const line = document.createElement('li');
  line.textContent = text;
  return line;
}
