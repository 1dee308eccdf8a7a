import { find } from './dom.ts';

/** A question in the place of the buttons that led to it. */
export interface Confirmation {
  /**
   * Resolves when it was answered. The cursor is on "no", and goes back to where it was.
   * @param yes what the button says that agrees
   */
  ask(question: string, yes: string): Promise<boolean>;
  /** Answers an open question with no: what it was about has changed. */
  withdraw(): void;
}

/** @param buttons what makes room for the question */
export function createConfirmation(root: ParentNode, buttons: HTMLElement): Confirmation {
  const place = find(root, '.confirm', HTMLElement);
  const question = find(place, '.question', HTMLElement);
  const agree = find(place, '.yes', HTMLButtonElement);
  const decline = find(place, '.no', HTMLButtonElement);
  let answered: ((answer: boolean) => void) | undefined;

  function open(visible: boolean): void {
    place.hidden = !visible;
    buttons.hidden = visible;
  }
  const answer = (given: boolean) => answered?.(given);
  agree.addEventListener('click', () => answer(true));
  decline.addEventListener('click', () => answer(false));
  place.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') answer(false);
  });

  return {
    async ask(text, yes) {
      answer(false);
      const before = document.activeElement;
      question.textContent = text;
      agree.textContent = yes;
      open(true);
      decline.focus();
      const given = await new Promise<boolean>((resolve) => {
        answered = resolve;
      });
      answered = undefined;
      const hadFocus = place.contains(document.activeElement);
      open(false);
      if (hadFocus && before instanceof HTMLElement) before.focus();
      return given;
    },
    withdraw: () => answer(false),
  };
}
