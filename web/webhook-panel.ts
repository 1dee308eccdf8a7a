import type { Api, WebhookTest, WebhookView } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import { createConfirmation } from './confirmation.ts';
import { find, setText } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';
import { formatAnswer, formatDateTime } from './formatting.ts';

/** The settings of the owner's webhook. Nothing is requested before the panel is opened. */
export interface WebhookPanel {
  show(): void;
  /** Hides the panel and removes everything that belongs to the owner of the key. */
  clear(): void;
}

export interface WebhookPanelServices {
  api: Pick<Api, 'webhook' | 'setWebhook' | 'removeWebhook' | 'testWebhook' | 'createWebhookSecret'>;
  errors: FieldErrors;
  /** Called when the API rejects the key. */
  keyRejected: (problem: ApiProblem) => void;
}

export function createWebhookPanel(page: ParentNode, { api, errors, keyRejected }: WebhookPanelServices): WebhookPanel {
  const panel = find(page, '#webhook', HTMLDetailsElement);
  const part = (name: string) => find(panel, `#webhook-${name}`, HTMLElement);
  const button = (name: string) => find(panel, `#webhook-${name}`, HTMLButtonElement);
  const form = find(panel, '#webhook-form', HTMLFormElement);
  const url = find(panel, '#webhook-url', HTMLInputElement);
  const secret = find(panel, '#webhook-secret', HTMLInputElement);
  const confirmation = createConfirmation(panel, part('actions'));
  /** Undefined until it is read, and when there is none. */
  let webhook: WebhookView | undefined;
  /** The running request. `clear` replaces it: its response belongs to another key. */
  let running: symbol | undefined;

  /** Runs one request at a time. */
  async function run<Result>(call: () => Promise<Result>, done: (result: Result) => void): Promise<void> {
    if (running) return;
    const own = Symbol();
    running = own;
    part('body').setAttribute('aria-busy', 'true');
    errors.clear('webhook-url', 'webhook-events', 'webhook');
    try {
      const result = await call();
      if (running === own) done(result);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (running === own) fail(error);
    } finally {
      if (running === own) finish();
    }
  }

  function finish(): void {
    running = undefined;
    part('body').removeAttribute('aria-busy');
  }

  function fail(problem: ApiProblem): void {
    setText(part('loading'), undefined);
    setText(part('outcome'), undefined);
    if (problem.rejectsKey) keyRejected(problem);
    else errors.showProblem(problem, 'webhook');
    errors.focusFirst('webhook');
  }

  function showOutcome(text: string, isError = false): void {
    part('outcome').classList.toggle('error', isError);
    setText(part('outcome'), text);
  }

  function update(current: WebhookView | undefined): void {
    const focused = document.activeElement;
    webhook = current;
    setText(part('loading'), undefined);
    part('content').hidden = false;
    part('host').textContent = current?.host ?? 'No webhook';
    part('state').textContent = current ? stateLabels[current.state] : '';
    panel.dataset.state = current?.state ?? '';
    part('text').textContent = describeWebhook(current);
    button('set').textContent = current ? 'Change webhook' : 'Set webhook';
    button('test').hidden = button('remove').hidden = !current;
    if (current) checkEvents(current.events);
    // A hidden button would lose the focus to the page's top.
    if (focused instanceof HTMLElement && focused.hidden && panel.contains(focused)) url.focus();
  }

  function checkEvents(events: WebhookView['events']): void {
    find(form, `input[value="${events}"]`, HTMLInputElement).checked = true;
  }

  /** Shows a secret, which only this page has: opens the panel if it was closed meanwhile. */
  function showSecret(value: string): void {
    panel.open = true;
    secret.value = value;
    part('secret-field').hidden = false;
    secret.focus();
    secret.select();
  }

  /** Removes what must not stay on the page: the secret, the entered URL and messages. */
  function reset(): void {
    confirmation.dismiss();
    secret.value = '';
    part('secret-field').hidden = true;
    form.reset();
    setText(part('outcome'), undefined);
    errors.clear('webhook-url', 'webhook-events', 'webhook');
  }

  panel.addEventListener('toggle', () => {
    if (panel.open) void run(api.webhook, update);
    else reset();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    confirmation.dismiss();
    errors.clear('webhook-url');
    if (url.value.trim() === '') {
      errors.show('webhook-url', 'Enter the https URL of your server.');
      return errors.focusFirst('webhook');
    }
    const events = find(form, 'input:checked', HTMLInputElement).value as WebhookView['events'];
    void run(
      () => api.setWebhook({ url: url.value.trim(), events }),
      (current) => {
        url.value = '';
        update(current);
        showOutcome('Saved. Send a test to see whether your server accepts it.');
        if (current.secret) showSecret(current.secret);
      },
    );
  });
  url.addEventListener('input', () => errors.clear('webhook-url', 'webhook'));
  button('test').addEventListener('click', () => {
    if (!running) showOutcome('Sending a test…');
    void run(api.testWebhook, (answer) => showOutcome(formatTest(answer), !answer.delivered));
  });
  button('rotate').addEventListener('click', async () => {
    if (!(await confirmation.ask(secretQuestion(webhook), 'New secret'))) return;
    await run(api.createWebhookSecret, ({ secret, version, previous_valid_until }) => {
      if (webhook) {
        const previous = previous_valid_until ? { previous_secret_valid_until: previous_valid_until } : {};
        update({ ...webhook, secret_version: version, ...previous });
      }
      showOutcome(`This is version ${version} of your secret.`);
      showSecret(secret);
    });
  });
  button('remove').addEventListener('click', async () => {
    if (!webhook || !(await confirmation.ask(removeQuestion(webhook), 'Remove'))) return;
    await run(api.removeWebhook, () => {
      update(undefined);
      showOutcome('Removed.');
    });
  });
  button('copy').addEventListener('click', async () => {
    secret.select();
    // Rejected without permission; there is no clipboard on an http page of another computer.
    const isCopied = await Promise.resolve()
      .then(() => navigator.clipboard.writeText(secret.value))
      .then(
        () => true,
        () => false,
      );
    showOutcome(isCopied ? 'Copied.' : 'The browser does not allow this. Copy the selected text with the keyboard.');
    if (!isCopied) secret.focus();
  });

  return {
    show() {
      panel.hidden = false;
    },
    clear() {
      finish();
      reset();
      panel.hidden = true;
      panel.open = false;
      webhook = undefined;
      part('content').hidden = true;
      for (const name of ['host', 'state', 'text']) part(name).textContent = '';
      setText(part('loading'), 'Loading…');
    },
  };
}

const stateLabels: Readonly<Record<WebhookView['state'], string>> = { active: 'Active', ended: 'Ended' };

/** What the webhook gets, and what to do when it gets nothing. */
export function describeWebhook(webhook: WebhookView | undefined): string {
  if (!webhook) return 'Set a URL, and firstframe calls your server when a video has ended.';
  const { state, ended_at, events, previous_secret_valid_until: until } = webhook;
  const ended = ended_at ? ` on ${formatDateTime(ended_at)}` : '';
  return [
    state === 'ended'
      ? `The receiver ended it${ended} with status 410, so it gets no events. Set the URL again to restart it.`
      : `Gets ${events === 'all' ? 'every status change' : 'the ending'} of each of your videos.`,
    ...(until ? [`The previous secret also signs until ${formatDateTime(until)}.`] : []),
  ].join(' ');
}

/** The question before a rotation. Only two versions of a secret sign. */
export function secretQuestion(webhook: Pick<WebhookView, 'previous_secret_valid_until'> | undefined): string {
  const replaced = webhook?.previous_secret_valid_until ? ' The one before it stops signing immediately.' : '';
  return `Make a new secret? For 24 hours events are also signed with the current one, so that you can change your server.${replaced}`;
}

const removeQuestion = ({ host }: WebhookView): string =>
  `Remove the webhook? ${host} gets no more events, and pending deliveries are dropped. The secret stays valid.`;

/** `example.com accepted the test: status 204 in 87 ms.` */
export const formatTest = (answer: WebhookTest): string =>
  `${answer.host} ${answer.delivered ? 'accepted' : 'did not accept'} the test: ${formatAnswer(answer)}.`;
