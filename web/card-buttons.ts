import { deleteQuestion, isCancelable, isRetryable, retryQuestion } from './action-words.ts';
import type { Action } from './actions.ts';
import type { Link, Seen, Variant, VideoView } from './api.ts';
import { createConfirmation } from './confirmation.ts';
import { find, say } from './dom.ts';
import { hasEnded } from './words.ts';

export interface ButtonServices {
  /** A link to what belongs to a video; undefined when there is none to be had now. */
  link: (id: string, variant: Variant) => Promise<Link | undefined>;
  /** Does it. @returns what there is to tell; undefined when it was done */
  act: (action: Action, seen: Seen) => Promise<string | undefined>;
  reuse: (video: VideoView) => void;
}

/** What can be done with a video: its files are opened, it is used again, canceled, retried, deleted. @returns what shows the buttons that fit it */
export function createButtons(
  card: HTMLElement,
  seen: () => Seen,
  { link, act, reuse }: ButtonServices,
): { update(): void } {
  const buttons = find(card, '.actions', HTMLElement);
  const told = find(card, '.told', HTMLElement);
  const button = (name: string) => find(card, `button.${name}`, HTMLButtonElement);
  const confirmation = createConfirmation(card, buttons);
  const underWay = new Map<Action, Promise<void>>();
  let status = seen().video.status;

  const files: Readonly<Record<Variant, HTMLButtonElement>> = {
    video: button('file-video'),
    first_frame: button('file-first-frame'),
    metadata: button('file-metadata'),
  };
  for (const [variant, opener] of Object.entries(files) as [Variant, HTMLButtonElement][]) {
    opener.addEventListener('click', async () => {
      say(told, undefined);
      const found = await link(seen().video.id, variant);
      if (!found) return say(told, 'This file can not be had at present.');
      Object.assign(document.createElement('a'), { href: found.url, target: '_blank', rel: 'noopener' }).click();
    });
  }
  button('again').addEventListener('click', () => reuse(seen().video));
  button('cancel').addEventListener('click', () => perform('cancel'));
  button('retry').addEventListener('click', () => perform('retry', retryQuestion(seen().video), 'Retry'));
  button('delete').addEventListener('click', () => perform('delete', deleteQuestion(seen().video), 'Delete'));

  /**
   * Pressed twice, it is done once. What is another thing waits for the first: news of what it did may come sooner than its
   * answer, and then there are other buttons.
   * @param question what is asked first, about the video as it is seen at this moment
   */
  async function perform(action: Action, question?: string, yes = ''): Promise<void> {
    if (underWay.has(action)) return;
    const asSeen = seen();
    if (question && !(await confirmation.ask(question, yes))) return;
    const before = [...underWay.values()];
    const done = Promise.all(before).then(() => performNow(action, asSeen));
    underWay.set(action, done);
    buttons.setAttribute('aria-busy', 'true');
    await done.finally(() => underWay.delete(action));
    if (underWay.size === 0) buttons.removeAttribute('aria-busy');
  }

  async function performNow(action: Action, asSeen: Seen): Promise<void> {
    say(told, undefined);
    say(told, await act(action, asSeen));
  }

  return {
    update() {
      const { video } = seen();
      const focused = document.activeElement;
      if (video.status !== status) {
        confirmation.withdraw();
        say(told, undefined);
        status = video.status;
      }
      files.video.hidden = files.metadata.hidden = video.status !== 'succeeded';
      button('again').hidden = button('delete').hidden = !hasEnded(video);
      button('retry').hidden = !isRetryable(video);
      button('cancel').hidden = !isCancelable(video);
      nameButtons(video);
      // A button that is gone would take the cursor with it.
      if (focused instanceof HTMLElement && focused.hidden && buttons.contains(focused))
        buttons.querySelector<HTMLElement>('button:not([hidden])')?.focus();
    },
  };

  /** In a list of many, each button says whose it is. */
  function nameButtons({ input }: VideoView): void {
    const prompt = (input.prompt ?? '').slice(0, 80);
    for (const each of card.querySelectorAll<HTMLButtonElement>('.files button, .actions button'))
      each.ariaLabel = prompt ? `${each.textContent}: ${prompt}` : each.textContent;
  }
}
