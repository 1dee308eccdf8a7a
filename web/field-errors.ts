import { type ApiProblem, formatProblem } from './api-problem.ts';
import { find, setText } from './dom.ts';

export type Field =
  | 'key'
  | 'image'
  | 'last-frame'
  | 'prompt'
  | 'model'
  | 'resolution'
  | 'duration'
  | 'webhook-url'
  | 'webhook-events'
  | Form;

/** Where problems without a field are shown. */
export type Form = 'form' | 'webhook';

/** Error messages at the fields they are about. */
export interface FieldErrors {
  show(field: Field, message: string): void;
  /**
   * Shows each issue at the field that its pointer names, and the problem itself at the form.
   * @default form the form of a new video
   */
  showProblem(problem: ApiProblem, form?: Form): void;
  clear(...fields: Field[]): void;
  /** Called when the API responds again: removes the message that it did not. */
  reconnected(): void;
  /** Focuses the first field of a form with an error. @default form the form of a new video */
  focusFirst(form?: Form): void;
}

export function createFieldErrors(page: ParentNode): FieldErrors {
  const messageOf = (field: Field) => find(page, `#${field}-error`, HTMLElement);
  /** The control itself, or the checked option of a group. */
  const control = (field: Field) =>
    page.querySelector(`#${field}:is(input, textarea, select), #${field} input:checked`) as HTMLElement | null;
  const invalid = new Set<Field>();
  /** The form that shows that the API did not respond. */
  let disconnected: Form | undefined;

  function show(field: Field, message: string): void {
    invalid.add(field);
    const before = messageOf(field).textContent;
    setText(messageOf(field), before && before !== message ? `${before} ${message}` : message);
    control(field)?.setAttribute('aria-invalid', 'true');
  }

  function clear(...fields: Field[]): void {
    for (const field of fields) {
      invalid.delete(field);
      setText(messageOf(field), undefined);
      control(field)?.removeAttribute('aria-invalid');
      if (field === disconnected) disconnected = undefined;
    }
  }

  return {
    show,
    showProblem(problem, form = 'form') {
      if (problem.rejectsKey) return show('key', keyRejected);
      for (const [field, message] of fieldMessages(problem, form)) show(field, message);
      if (problem.status === 0) disconnected = form;
    },
    clear,
    reconnected() {
      if (disconnected) clear(disconnected);
    },
    focusFirst(form = 'form') {
      const first = fieldsOf[form].find((field) => invalid.has(field));
      if (first) control(first)?.focus();
    },
  };
}

/** The fields of each form in their order. */
const fieldsOf: Readonly<Record<Form, readonly Field[]>> = {
  form: ['key', 'image', 'last-frame', 'prompt', 'model', 'resolution', 'duration'],
  webhook: ['webhook-url', 'webhook-events'],
};

const keyRejected =
  'This key is not valid here, or no longer. Check that it was copied completely, or ask the operator of this firstframe for one.';

/** Pointers into the bodies of `POST /videos`, `POST /uploads` and `PUT /webhook`. */
const fieldOfPointer: Readonly<Record<string, Field>> = {
  '/model': 'model',
  '/input/prompt': 'prompt',
  '/input/img_url': 'image',
  '/input/last_frame_url': 'last-frame',
  '/parameters/resolution': 'resolution',
  '/parameters/duration': 'duration',
  '/content_type': 'image',
  '/bytes': 'image',
  '/url': 'webhook-url',
  '/events': 'webhook-events',
};

/**
 * Assigns the messages of a problem to fields. The detail of a problem with issues only repeats them, so the form shows its title,
 * and the issues of fields that the form lacks.
 */
export function fieldMessages(problem: ApiProblem, form: Form = 'form'): [Field, string][] {
  const { message: title, errors } = problem;
  if (errors.length === 0) return [[form, formatProblem(problem)]];
  return [
    [form, title],
    ...errors.map(({ pointer, message }): [Field, string] => {
      const field = fieldOfPointer[pointer];
      if (field) return [field, message];
      return [form, pointer ? `${pointer}: ${message}` : message];
    }),
  ];
}
