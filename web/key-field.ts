import { isKey } from './api.ts';
import { find } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';

export interface KeyField {
  /** The key; empty while there is none. */
  key(): string;
  /** Stores the key and shows that it is valid. */
  accept(): void;
  /** Removes the key and asks for another. */
  reject(): void;
  /** Whether there is a key; if not, shows an error at the field. */
  require(): boolean;
}

/** Name of the key in sessionStorage; the page of the contract reads it too. */
export const storageName = 'firstframe.key';

/**
 * The API key's field. The key is kept in the tab's sessionStorage only, so that a reload does not ask again.
 * @param entered called with each new key
 * @param removed called when the user removes the key
 */
export function createKeyField(
  page: ParentNode,
  errors: FieldErrors,
  { entered, removed }: { entered: () => void; removed: () => void },
): KeyField {
  const form = find(page, '#key-form', HTMLFormElement);
  const status = find(page, '#key-status', HTMLElement);
  const input = find(page, '#key', HTMLInputElement);
  let key = sessionStorage.getItem(storageName) ?? '';

  function showForm(visible: boolean): void {
    form.hidden = !visible;
    status.hidden = visible;
    find(page, '#step-key', HTMLElement).hidden = !visible;
  }

  function removeKey(): void {
    key = '';
    sessionStorage.removeItem(storageName);
    showForm(true);
  }

  function readInput(): boolean {
    const text = input.value.trim();
    errors.clear('key');
    if (!isKey(text)) {
      errors.show(
        'key',
        text === ''
          ? 'Enter your API key first.'
          : 'This cannot be a key: keys have no spaces and only ASCII characters.',
      );
      input.focus();
      return false;
    }
    key = text;
    return true;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (readInput()) entered();
  });
  find(page, '#key-remove', HTMLButtonElement).addEventListener('click', () => {
    removeKey();
    input.value = '';
    input.focus();
    removed();
  });
  input.addEventListener('input', () => errors.clear('key'));
  showForm(key === '');

  return {
    key: () => key,
    accept() {
      const hadFocus = form.contains(document.activeElement);
      sessionStorage.setItem(storageName, key);
      input.value = '';
      showForm(false);
      // A hidden element loses the focus to the page's top.
      if (hadFocus) find(page, '#key-remove', HTMLButtonElement).focus();
    },
    reject: removeKey,
    require: () => key !== '' || readInput(),
  };
}
