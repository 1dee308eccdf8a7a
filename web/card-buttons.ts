import {
  type Action,
  type ActionFailure,
  deleteQuestion,
  isCancelable,
  isExtendable,
  isRetryable,
  isVariable,
  retryQuestion,
} from './actions.ts';
import type { Link, Snapshot, Variant, VideoView } from './api.ts';
import { createConfirmation } from './confirmation.ts';
import { createDeliveries, type DeliveryServices } from './deliveries.ts';
import { createDeriveForm, type DeriveServices } from './derive-form.ts';
import { find, setText } from './dom.ts';
import { hasEnded } from './formatting.ts';

export interface ButtonServices {
  /** Fetches a link to a file of a video; undefined when it is not available. */
  link: (id: string, variant: Variant) => Promise<Link | undefined>;
  /** @returns undefined when the action was done */
  perform: (action: Action, shown: Snapshot) => Promise<ActionFailure | undefined>;
  reuse: (video: VideoView) => void;
  derive: DeriveServices;
  deliveries: DeliveryServices;
}

export interface CardButtons {
  /** Shows the buttons that apply to the video's state. */
  update(): void;
}

/** The buttons of a card: open files, use again, cancel, retry, deliveries, delete. */
export function createButtons(
  card: HTMLElement,
  shown: () => Snapshot,
  { link, perform, reuse, derive, deliveries: deliveryServices }: ButtonServices,
): CardButtons {
  const buttons = find(card, '.actions', HTMLElement);
  const message = find(card, '.action-message', HTMLElement);
  const button = (name: string) => find(card, `button.${name}`, HTMLButtonElement);
  const confirmation = createConfirmation(card, buttons);
  const deriveForm = createDeriveForm(card, () => shown().video, confirmation, derive);
  const deliveries = createDeliveries(card, () => shown().video, deliveryServices);
  const running = new Map<Action, Promise<void>>();
  let status = shown().video.status;
  /** Wan runs the task, although the record still shows it as pending. */
  let isRunningAtWan = false;

  const files: Readonly<Record<Variant, HTMLButtonElement>> = {
    video: button('file-video'),
    first_frame: button('file-first-frame'),
    metadata: button('file-metadata'),
  };
  for (const [variant, opener] of Object.entries(files) as [Variant, HTMLButtonElement][]) {
    opener.addEventListener('click', async () => {
      setText(message, undefined);
      const found = await link(shown().video.id, variant);
      if (!found) return setText(message, 'This file is not available.');
      Object.assign(document.createElement('a'), { href: found.url, target: '_blank', rel: 'noopener' }).click();
    });
  }
  button('reuse').addEventListener('click', () => reuse(shown().video));
  button('extend').addEventListener('click', () => deriveForm.open('extend'));
  button('vary').addEventListener('click', () => deriveForm.open('variations'));
  button('cancel').addEventListener('click', () => run('cancel'));
  button('retry').addEventListener('click', () => run('retry', retryQuestion(shown().video), 'Retry'));
  button('delete').addEventListener('click', () => run('delete', deleteQuestion(shown().video), 'Delete'));

  /**
   * Runs an action once, even when pressed twice. Another action waits for the first: a poll may show its result, and so other
   * buttons, before its response arrives.
   * @param question asked first, about the state that is shown at this moment
   */
  async function run(action: Action, question?: string, yes = ''): Promise<void> {
    if (running.has(action)) return;
    const snapshot = shown();
    if (question && !(await confirmation.ask(question, yes))) return;
    const done = Promise.all(running.values()).then(() => runNow(action, snapshot));
    running.set(action, done);
    buttons.setAttribute('aria-busy', 'true');
    await done.finally(() => running.delete(action));
    if (running.size === 0) buttons.removeAttribute('aria-busy');
  }

  async function runNow(action: Action, snapshot: Snapshot): Promise<void> {
    setText(message, undefined);
    const failure = await perform(action, snapshot);
    isRunningAtWan ||= failure?.code === 'video_is_running';
    update();
    setText(message, failure?.message);
  }

  function update(): void {
    const { video } = shown();
    const focused = document.activeElement;
    if (video.status !== status) {
      confirmation.dismiss();
      deriveForm.close();
      deliveries.close();
      setText(message, undefined);
      status = video.status;
      isRunningAtWan = false;
    }
    files.video.hidden = files.metadata.hidden = video.status !== 'succeeded';
    button('reuse').hidden = button('delete').hidden = button('show-deliveries').hidden = !hasEnded(video);
    button('extend').hidden = !isExtendable(video, Date.now());
    button('vary').hidden = !isVariable(video);
    button('retry').hidden = !isRetryable(video);
    button('cancel').hidden = isRunningAtWan || !isCancelable(video);
    nameButtons(video);
    // A hidden button would lose the focus to the page's top.
    if (focused instanceof HTMLElement && focused.hidden && buttons.contains(focused))
      (buttons.querySelector<HTMLElement>('button:not([hidden])') ?? files.first_frame).focus();
  }

  /** Adds the prompt to each accessible name, to distinguish the buttons of different cards. */
  function nameButtons({ input }: VideoView): void {
    const prompt = (input.prompt ?? '').slice(0, 80);
    for (const each of card.querySelectorAll<HTMLButtonElement>('.files button, .actions button'))
      each.ariaLabel = prompt ? `${each.textContent}: ${prompt}` : each.textContent;
  }

  return { update };
}
