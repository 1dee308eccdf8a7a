/** A row of radio buttons. */
export interface SegmentedControl<Value> {
  /** The checked value; undefined before there are options. */
  value(): Value | undefined;
  /** Checks a value, if it is an option. */
  choose(value: Value | undefined): void;
  /** Replaces the options; keeps the checked value if it is among them, else checks `fallback`. */
  setOptions(options: readonly Value[], fallback: Value): void;
}

/** @param name of the radio group */
export function createSegmentedControl<Value extends string | number>(
  container: HTMLElement,
  name: string,
  label: (value: Value) => string,
): SegmentedControl<Value> {
  let values: readonly Value[] = [];
  const inputs = () => [...container.querySelectorAll('input')];
  const value = (): Value | undefined =>
    values.find((each) => inputs().some((input) => input.checked && input.value === String(each)));
  const choose = (wanted: Value | undefined) => {
    for (const input of inputs()) if (input.value === String(wanted)) input.checked = true;
  };
  return {
    value,
    choose,
    setOptions(options, fallback) {
      if (options.join() === values.join()) return;
      const before = value();
      values = options;
      container.replaceChildren(...options.map((each) => createSegment(name, String(each), label(each))));
      choose(before !== undefined && options.includes(before) ? before : fallback);
    },
  };
}

function createSegment(name: string, value: string, text: string): HTMLElement {
  const label = document.createElement('label');
  const input = document.createElement('input');
  Object.assign(input, { type: 'radio', name, value });
  const caption = document.createElement('span');
  caption.textContent = text;
  label.append(input, caption);
  return label;
}
