import { isKey } from './api.ts';
import { find } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';

export interface KeyField {
  /** The key; empty while there is none. */
  key(): string;
  /** Shows that the key is good. */
  accept(): void;
  /** Forgets the key and asks for another. */
  refuse(): void;
  /** Whether there is a key; if not, says so at the field. */
  require(): boolean;
}

/** Under this name the key is kept for the tab; the page of the contract knows it too. */
export const storedAs = 'firstframe.key';

/**
 * The key's field. A key is kept for the tab, so that a reload does not ask again, and nowhere else.
 * @param given called with each key that is given
 * @param forgotten called when its owner takes it back
 */
export function createKeyField(
  page: ParentNode,
  errors: FieldErrors,
  { given, forgotten }: { given: () => void; forgotten: () => void },
): KeyField {
  const form = find(page, '#key-form', HTMLFormElement);
  const known = find(page, '#key-known', HTMLElement);
  const input = find(page, '#key', HTMLInputElement);
  let key = sessionStorage.getItem(storedAs) ?? '';

  function showForm(visible: boolean): void {
    form.hidden = !visible;
    known.hidden = visible;
    find(page, '#step-key', HTMLElement).hidden = !visible;
  }

  function forget(): void {
    key = '';
    sessionStorage.removeItem(storedAs);
    showForm(true);
  }

  function take(): boolean {
    const text = input.value.trim();
    errors.clear('key');
    if (!isKey(text)) {
      errors.show(
        'key',
        text === ''
          ? 'Give your API key first.'
          : 'This can be no key: it has spaces, or letters that keys never have.',
      );
      input.focus();
      return false;
    }
    key = text;
    return true;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (take()) given();
  });
  find(page, '#key-forget', HTMLButtonElement).addEventListener('click', () => {
    forget();
    input.value = '';
    input.focus();
    forgotten();
  });
  input.addEventListener('input', () => errors.clear('key'));
  showForm(key === '');

  return {
    key: () => key,
    accept() {
      sessionStorage.setItem(storedAs, key);
      input.value = '';
      showForm(false);
    },
    refuse: forget,
    require: () => key !== '' || take(),
  };
}
