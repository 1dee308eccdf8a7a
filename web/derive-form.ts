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

/** The form of a card for an extension or for variations of its video. The price is shown before anything is created. */
export function createDeriveForm(
  card: HTMLElement,
  shown: () => VideoView,
  confirmation: Confirmation,
  { estimate, create, keyRejected }: DeriveServices,
): DeriveForm {
  const form = find(card, 'form.derive', HTMLFormElement);
  const message = find(card, '.action-message', HTMLElement);
  const prompt = find(form, '.derive-prompt', HTMLTextAreaElement);
  const seconds = find(form, '.derive-seconds', HTMLInputElement);
  const count = find(form, '.derive-count', HTMLInputElement);
  const model = find(form, '.derive-model', HTMLInputElement);
  const resolution = find(form, '.derive-resolution', HTMLSelectElement);
  const keys = createIdempotencyKeys();
  let kind: DeriveKind = 'extend';

  function bodyOf({ input, model: before }: VideoView): object {
    const text = prompt.value.trim();
    const settings = {
      ...(model.value.trim() === before ? {} : { model: model.value.trim() }),
      ...(text === (input.prompt ?? '') && kind === 'variations' ? {} : { prompt: text }),
    };
    const tier = resolution.value === '' ? {} : { resolution: resolution.value };
    return kind === 'extend'
      ? { ...settings, seconds_to_add: seconds.valueAsNumber, ...(resolution.value ? { parameters: tier } : {}) }
      : { ...settings, ...tier, n: count.valueAsNumber };
  }

  async function run(): Promise<void> {
    setText(message, undefined);
    const video = shown();
    const body = bodyOf(video);
    try {
      const found = await estimate(video.id, kind, body);
      const question = deriveQuestion(found, kind === 'variations' ? count.valueAsNumber : 1);
      if (!(await confirmation.ask(question, kind === 'extend' ? 'Extend' : 'Create'))) return;
      await create(video.id, kind, body, keys.keyFor({ ...body, kind }));
      keys.settled();
      form.hidden = true;
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.rejectsKey) return keyRejected(error);
      setText(message, formatProblem(error));
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    form.inert = true;
    void run().finally(() => {
      form.inert = false;
    });
  });
  find(form, '.derive-close', HTMLButtonElement).addEventListener('click', () => {
    form.hidden = true;
  });

  return {
    open(wanted) {
      kind = wanted;
      const video = shown();
      prompt.value = kind === 'extend' ? '' : (video.input.prompt ?? '');
      prompt.required = kind === 'extend';
      model.value = video.model;
      resolution.value = '';
      for (const [field, isShown] of [
        [seconds, kind === 'extend'],
        [count, kind === 'variations'],
      ] as const) {
        field.disabled = !isShown;
        if (field.parentElement) field.parentElement.hidden = !isShown;
      }
      form.hidden = false;
      prompt.focus();
    },
    close() {
      form.hidden = true;
    },
  };
}
