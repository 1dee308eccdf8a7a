import { hintInWords } from './action-words.ts';
import type { Seen, VideoView } from './api.ts';
import { type ButtonServices, createButtons } from './card-buttons.ts';
import { find, say, whenInView } from './dom.ts';
import { playFilm } from './film.ts';
import { factsInWords, hasEnded, momentInWords, progressNow, statusWords, waitInWords } from './words.ts';

/** A video in the list. */
export interface Card {
  readonly element: HTMLElement;
  readonly seen: Seen;
  /** Shows the video as it is now. */
  update(seen: Seen): void;
  /** Shows what has changed by time alone. */
  tick(): void;
  /** Shows the picture that the video begins with. */
  showPicture(url: string): void;
}

export function createCard(page: Document, first: Seen, services: ButtonServices): Card {
  const copy = find(page, '#card', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
  const element = find(copy, '.card', HTMLElement);
  const part = (name: string) => find(element, `.${name}`, HTMLElement);
  const film = find(element, 'video', HTMLVideoElement);
  const frame = find(element, 'img', HTMLImageElement);
  const progress = find(element, 'progress', HTMLProgressElement);
  let seen = first;
  let playable = false;
  const buttons = createButtons(element, () => seen, services);

  function update(now: Seen): void {
    seen = now;
    const { video } = seen;
    const { status, error, warnings, input } = video;
    element.dataset.status = status;
    part('status').textContent = statusWords[status];
    part('when').textContent = momentInWords(video.created_at);
    part('when').hidden = !hasEnded(video);
    progress.hidden = hasEnded(video);
    tick();
    say(part('prompt'), input.prompt ?? 'No prompt');
    showFailure(status === 'canceled' ? undefined : error);
    part('warnings').hidden = warnings.length === 0;
    part('warnings').replaceChildren(...warnings.map(({ message }) => lineOf(message)));
    part('facts').textContent = factsInWords(video);
    buttons.update();
    if (status === 'succeeded' && !playable) {
      playable = true;
      frame.hidden = true;
      playFilm(element, input.prompt ?? 'the video', () => services.link(video.id, 'video'));
    }
  }

  /** A video that its owner canceled needs no explanation. */
  function showFailure(error: VideoView['error']): void {
    part('failure').hidden = !error;
    part('failure-message').textContent = error?.message ?? '';
    part('failure-hint').textContent = error
      ? [hintInWords(error.hint), error.billed ? 'Wan has charged for it, or may have.' : 'It cost nothing.'].join(' ')
      : '';
  }

  function tick(): void {
    const { video } = seen;
    say(part('remaining'), waitInWords(video, Date.now()));
    progress.value = progressNow(video, Date.now());
  }

  function showPicture(url: string): void {
    film.poster = url;
    frame.src = url;
    frame.hidden = playable;
  }
  frame.addEventListener('error', () => {
    frame.hidden = true;
  });
  whenInView(element, async () => {
    if (playable || frame.hasAttribute('src')) return;
    const found = await services.link(seen.video.id, 'first_frame');
    // One without an end is an address of the caller's own, which the page is not allowed to load.
    if (found?.expires_at && !frame.hasAttribute('src')) showPicture(found.url);
  });

  update(first);

  return {
    element,
    get seen() {
      return seen;
    },
    update,
    tick,
    showPicture,
  };
}

function lineOf(text: string): HTMLLIElement {
  const line = document.createElement('li');
  line.textContent = text;
  return line;
}
