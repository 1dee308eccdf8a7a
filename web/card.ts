import { formatHint } from './actions.ts';
import type { Snapshot, VideoView } from './api.ts';
import { type ButtonServices, createButtons } from './card-buttons.ts';
import { find, onceVisible, setText } from './dom.ts';
import { currentProgress, describeVideo, formatDateTime, formatWait, hasEnded, statusLabels } from './formatting.ts';
import { createVideoPlayer } from './video-player.ts';

/** A video in the list. */
export interface Card {
  readonly element: HTMLElement;
  readonly snapshot: Snapshot;
  update(snapshot: Snapshot): void;
  /** Updates what depends on the clock. */
  tick(): void;
  showFirstFrame(url: string): void;
}

export function createCard(page: Document, initial: Snapshot, services: ButtonServices): Card {
  const copy = find(page, '#card', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
  const element = find(copy, '.card', HTMLElement);
  const part = (name: string) => find(element, `.${name}`, HTMLElement);
  const player = find(element, 'video', HTMLVideoElement);
  const firstFrame = find(element, 'img', HTMLImageElement);
  const progress = find(element, 'progress', HTMLProgressElement);
  let snapshot = initial;
  let isPlayable = false;
  const buttons = createButtons(element, () => snapshot, services);

  function update(current: Snapshot): void {
    snapshot = current;
    const { video } = snapshot;
    const { id, status, error, warnings, input } = video;
    element.dataset.status = status;
    part('status').textContent = statusLabels[status];
    part('created').textContent = formatDateTime(video.created_at);
    part('created').hidden = !hasEnded(video);
    progress.hidden = hasEnded(video);
    tick();
    setText(part('prompt'), input.prompt ?? 'No prompt');
    part('prompt').title = input.prompt ?? '';
    showFailure(status === 'canceled' ? undefined : error);
    part('warnings').hidden = warnings.length === 0;
    part('warnings').replaceChildren(...warnings.map(createWarning));
    part('facts').textContent = describeVideo(video);
    part('facts').title = `ID ${id}`;
    buttons.update();
    if (hasExpired(video)) setText(part('action-message'), 'The video has expired, so its file was deleted.');
    else if (status === 'succeeded' && !isPlayable) {
      isPlayable = true;
      firstFrame.hidden = true;
      createVideoPlayer(
        element,
        input.prompt ?? 'the video',
        () => services.link(id, 'video'),
        () => setText(part('action-message'), 'This browser cannot play the video here. Open the MP4 instead.'),
      );
    }
  }

  /** A canceled video needs no explanation. */
  function showFailure(error: VideoView['error']): void {
    part('failure').hidden = !error;
    part('failure-message').textContent = error?.message ?? '';
    part('failure-hint').textContent = error
      ? [formatHint(error.hint), error.billed ? 'Wan has charged for it, or may have.' : 'It cost nothing.'].join(' ')
      : '';
  }

  function tick(): void {
    const { video } = snapshot;
    setText(part('remaining'), formatWait(video, Date.now()));
    progress.value = currentProgress(video, Date.now());
  }

  function showFirstFrame(url: string): void {
    player.poster = url;
    firstFrame.src = url;
    firstFrame.hidden = isPlayable;
  }
  firstFrame.addEventListener('error', () => {
    firstFrame.hidden = true;
  });
  onceVisible(element, async () => {
    if (isPlayable || firstFrame.hasAttribute('src') || !mayHaveFirstFrame(snapshot.video)) return;
    const link = await services.link(snapshot.video.id, 'first_frame');
    // The page's policy blocks a URL that the caller supplied; those never expire.
    if (link?.expires_at && !firstFrame.hasAttribute('src')) showFirstFrame(link.url);
  });

  update(initial);

  return {
    element,
    get snapshot() {
      return snapshot;
    },
    update,
    tick,
    showFirstFrame,
  };
}

function createWarning({ pointer, message }: VideoView['warnings'][number]): HTMLLIElement {
  const item = document.createElement('li');
  item.textContent = pointer ? `${pointer}: ${message}` : message;
  return item;
}

/** A continuation has a clip instead. */
const mayHaveFirstFrame = ({ input, source }: VideoView): boolean =>
  source.type === 'drop' || input.media.some(({ type }) => type === 'first_frame');

/** Whether the file of a video is gone after the deployment's retention time. */
const hasExpired = ({ expires_at }: VideoView): boolean =>
  expires_at !== undefined && Date.parse(expires_at) <= Date.now();
