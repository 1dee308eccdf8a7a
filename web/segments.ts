/** A row of radio buttons. */
export interface Segments<Value> {
  /** What is chosen; undefined before anything was offered. */
  value(): Value | undefined;
  /** Chooses it, if it is offered. */
  choose(wanted: Value | undefined): void;
  /** Offers these; what was chosen stays if it is among them. @param usual what is chosen else */
  offer(offered: readonly Value[], usual: Value): void;
}

/** @param name of the group of buttons */
export function segments<Value extends string | number>(
  place: HTMLElement,
  name: string,
  label: (value: Value) => string,
): Segments<Value> {
  let values: readonly Value[] = [];
  const inputs = () => [...place.querySelectorAll('input')];
  const value = (): Value | undefined =>
    values.find((each) => inputs().some((input) => input.checked && input.value === String(each)));
  const choose = (wanted: Value | undefined) => {
    for (const input of inputs()) if (input.value === String(wanted)) input.checked = true;
  };
  return {
    value,
    choose,
    offer(offered, usual) {
      if (offered.join() === values.join()) return;
      const before = value();
      values = offered;
      place.replaceChildren(...offered.map((each) => segment(name, String(each), label(each))));
      choose(before !== undefined && offered.includes(before) ? before : usual);
    },
  };
}

function segment(name: string, value: string, text: string): HTMLElement {
  const label = document.createElement('label');
  const input = document.createElement('input');
  Object.assign(input, { type: 'radio', name, value });
  const caption = document.createElement('span');
  caption.textContent = text;
  label.append(input, caption);
  return label;
}
