import type { Estimate } from '../functions/api/videos/derive.ts';
import type { DeriveKind, VideoView } from './api.ts';
import { ApiProblem, formatProblem } from './api-problem.ts';
import type { Confirmation } from './confirmation.ts';
import { find, setText } from './dom.ts';
import { formatMoney } from './formatting.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';

export interface DeriveServices {
  /** Prices a video that is made from another one, without creating it. */
  estimate(id: string, kind: DeriveKind, body: object): Promise<Estimate>;
  /** Creates what was priced, and shows it. */
  create(id: string, kind: DeriveKind, body: object, idempotencyKey: string): Promise<void>;
  /** Called when the API rejects the key. */
  keyRejected(problem: ApiProblem): void;
}

export interface DeriveForm {
  open(kind: DeriveKind): void;
  close(): void;
}

/** The question before a video is created: the price of all, and what the API warns of. */
export function deriveQuestion({ estimated_cost, model, parameters, warnings }: Estimate, count: number): string {
  const { resolution, duration } = parameters;
  const each = count > 1 ? `${count} videos` : 'One video';
  const length = duration > 0 ? `${duration} s` : 'of the length that the model chooses';
  const price = estimated_cost
    ? `at most ${formatMoney(estimated_cost.amount * count, estimated_cost.currency)}`
    : 'an unknown price: check it at Wan first';
  return [`${each} of ${model}, ${resolution}, ${length}: ${price}.`, ...warnings.map(({ message }) => message)].join(
    ' ',
  );
}

/**
 * The form of a card for an extension or for variations of its video. It exists only while it is open. The price is shown before anything
 * is created.
 */
export function createDeriveForm(
  card: HTMLElement,
  shown: () => VideoView,
  confirmation: Confirmation,
  { estimate, create, keyRejected }: DeriveServices,
): DeriveForm {
  const place = find(card, '.derive-place', HTMLElement);
  const message = find(card, '.action-message', HTMLElement);
  const keys = createIdempotencyKeys();
  const close = () => place.replaceChildren();

  async function run(kind: DeriveKind, body: object, count: number): Promise<void> {
    setText(message, undefined);
    const { id } = shown();
    try {
      const question = deriveQuestion(await estimate(id, kind, body), count);
      if (!(await confirmation.ask(question, kind === 'extend' ? 'Extend' : 'Create'))) return;
      await create(id, kind, body, keys.keyFor({ ...body, kind }));
      keys.settled();
      close();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.rejectsKey) keyRejected(error);
      else setText(message, formatProblem(error));
    }
  }

  function open(kind: DeriveKind): void {
    const video = shown();
    const copy = find(document, '#derive', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
    const form = find(copy, 'form', HTMLFormElement);
    const prompt = find(form, '.derive-prompt', HTMLTextAreaElement);
    const seconds = find(form, '.derive-seconds', HTMLInputElement);
    const count = find(form, '.derive-count', HTMLInputElement);
    const model = find(form, '.derive-model', HTMLInputElement);
    const resolution = find(form, '.derive-resolution', HTMLSelectElement);
    const isExtension = kind === 'extend';
    const before = isExtension ? '' : (video.input.prompt ?? '');
    prompt.value = before;
    prompt.required = isExtension;
    model.value = video.model;
    (isExtension ? count : seconds).parentElement?.remove();

    const bodyOf = (): object => {
      const settings = {
        ...(model.value.trim() === video.model ? {} : { model: model.value.trim() }),
        ...(prompt.value === before ? {} : { prompt: prompt.value }),
      };
      const tier = resolution.value === '' ? {} : { resolution: resolution.value };
      if (!isExtension) return { ...settings, ...tier, n: count.valueAsNumber };
      const parameters = resolution.value === '' ? {} : { parameters: tier };
      return { ...settings, seconds_to_add: seconds.valueAsNumber, ...parameters };
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      form.inert = true;
      void run(kind, bodyOf(), isExtension ? 1 : count.valueAsNumber).finally(() => {
        form.inert = false;
      });
    });
    find(form, '.derive-close', HTMLButtonElement).addEventListener('click', close);
    place.replaceChildren(form);
    prompt.focus();
  }

  return { open, close };
}
