import { find } from './dom.ts';

/** A question that replaces the buttons until it is answered. */
export interface Confirmation {
  /**
   * Focuses “No” first; restores the focus afterwards.
   * @param yes label of the button that confirms
   */
  ask(question: string, yes: string): Promise<boolean>;
  /** Answers an open question with no: the state it was about has changed. */
  dismiss(): void;
}

/** @param buttons hidden while a question is open */
export function createConfirmation(root: ParentNode, buttons: HTMLElement): Confirmation {
  const box = find(root, '.confirm', HTMLElement);
  const question = find(box, '.question', HTMLElement);
  const yesButton = find(box, '.yes', HTMLButtonElement);
  const noButton = find(box, '.no', HTMLButtonElement);
  let resolveOpen: ((answer: boolean) => void) | undefined;

  function toggle(isOpen: boolean): void {
    box.hidden = !isOpen;
    buttons.hidden = isOpen;
  }
  const answer = (value: boolean) => resolveOpen?.(value);
  yesButton.addEventListener('click', () => answer(true));
  noButton.addEventListener('click', () => answer(false));
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') answer(false);
  });

  return {
    async ask(text, yes) {
      answer(false);
      const before = document.activeElement;
      question.textContent = text;
      yesButton.textContent = yes;
      toggle(true);
      noButton.focus();
      const value = await new Promise<boolean>((resolve) => {
        resolveOpen = resolve;
      });
      resolveOpen = undefined;
      const hadFocus = box.contains(document.activeElement);
      toggle(false);
      if (hadFocus && before instanceof HTMLElement) before.focus();
      return value;
    },
    dismiss: () => answer(false),
  };
}
