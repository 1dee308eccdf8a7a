import type { ApiProblem } from './api-problem.ts';
import { find, say } from './dom.ts';
import { type Field, messagesOf } from './problem-fields.ts';

/** What goes wrong, told where it can be mended. */
export interface FieldErrors {
  show(field: Field, message: string): void;
  /** Each violation at the field that its pointer names, and the problem itself at the form. */
  showProblem(problem: ApiProblem): void;
  clear(...fields: Field[]): void;
  /** Puts the cursor on the first field that has an error. */
  focusFirst(): void;
}

export function createFieldErrors(page: ParentNode): FieldErrors {
  const place = (field: Field) => find(page, `#${field}-error`, HTMLElement);
  /** What the error is about: the control itself, or the first choice of a group. */
  const control = (field: Field) =>
    page.querySelector(`#${field}:is(input, textarea, select), #${field} input:checked`) as HTMLElement | null;
  const wrong = new Set<Field>();

  function show(field: Field, message: string): void {
    wrong.add(field);
    const before = place(field).textContent;
    say(place(field), before && before !== message ? `${before} ${message}` : message);
    control(field)?.setAttribute('aria-invalid', 'true');
  }

  return {
    show,
    showProblem(problem) {
      if (problem.refusesKey) return show('key', keyIsRefused);
      for (const [field, words] of messagesOf(problem)) show(field, words);
    },
    clear(...fields) {
      for (const field of fields) {
        wrong.delete(field);
        say(place(field), undefined);
        control(field)?.removeAttribute('aria-invalid');
      }
    },
    focusFirst() {
      const order: Field[] = ['key', 'picture', 'prompt', 'model', 'resolution', 'duration'];
      const first = order.find((field) => wrong.has(field));
      if (first) control(first)?.focus();
    },
  };
}

const keyIsRefused =
  'This key is not taken here, or no longer. Look whether all of it was copied, or ask whoever runs this firstframe for one.';
