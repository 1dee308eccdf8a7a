import type { ConsoleModel, ConsoleSettings } from '../functions/api/console-settings.ts';
import type { VideoView } from './api.ts';
import { find } from './dom.ts';
import { modelInWords, moneyInWords, priceInWords } from './words.ts';

type Resolution = ConsoleModel['resolutions'][number];

/** Model, resolution and length: what can be chosen, and what it costs. */
export interface Options {
  chosen(): { model: ConsoleModel; resolution: Resolution; duration: number };
  /** Chooses what another video was made with, as far as it is offered. */
  choose(video: Pick<VideoView, 'model' | 'parameters'>): void;
}

/** @param changed called whenever something else is chosen by hand */
export function createOptions(page: ParentNode, settings: ConsoleSettings, changed: () => void): Options {
  const model = find(page, '#model', HTMLSelectElement);
  const resolution = segments<Resolution>(
    find(page, '#resolution', HTMLElement),
    'resolution',
    (value) => value,
    react,
  );
  const duration = segments<number>(find(page, '#duration', HTMLElement), 'duration', (value) => `${value} s`, react);
  const price = find(page, '#price', HTMLElement);
  const priceNote = find(page, '#price-note', HTMLElement);

  const first = settings.models[0];
  if (!first) throw new Error('No model is offered.');
  model.append(...settings.models.map((offered) => new Option(optionText(offered, settings), offered.name)));
  model.addEventListener('change', react);
  const chosenModel = () => settings.models.find(({ name }) => name === model.value) ?? first;
  const chosen: Options['chosen'] = () => {
    const of = chosenModel();
    return {
      model: of,
      resolution: resolution.value() ?? of.default_resolution,
      duration: duration.value() ?? of.default_duration,
    };
  };

  /** Offers what the chosen model takes, and keeps what was chosen where it takes that too. */
  function offer(): void {
    const of = chosenModel();
    resolution.offer(of.resolutions, of.default_resolution);
    duration.offer(of.durations, of.default_duration);
    find(page, '#model-hint', HTMLElement).textContent = modelInWords(of);
    const { model: named, resolution: tier, duration: seconds } = chosen();
    const words = priceInWords(named, tier, seconds, settings);
    price.textContent = words.price;
    priceNote.textContent = words.note;
  }
  function react(): void {
    offer();
    changed();
  }
  offer();

  return {
    chosen,
    choose({ model: name, parameters }) {
      if (settings.models.some((offered) => offered.name === name)) model.value = name;
      offer();
      resolution.choose(parameters.resolution);
      duration.choose(parameters.duration);
      offer();
    },
  };
}

/** `wan2.2-i2v-flash · from $0.075`. */
function optionText({ name, prices, durations }: ConsoleModel, { currency }: ConsoleSettings): string {
  const units = Object.values(prices);
  if (units.length === 0) return name;
  return `${name} · from ${moneyInWords(Math.min(...units) * Math.min(...durations), currency)}`;
}

/** A row of radio buttons. */
function segments<Value extends string | number>(
  place: HTMLElement,
  name: string,
  label: (value: Value) => string,
  changed: () => void,
) {
  let values: readonly Value[] = [];
  const inputs = () => [...place.querySelectorAll('input')];
  const value = (): Value | undefined =>
    values.find((each) => inputs().some((input) => input.checked && input.value === String(each)));
  const choose = (wanted: Value | undefined) => {
    for (const input of inputs()) if (input.value === String(wanted)) input.checked = true;
  };
  place.addEventListener('change', changed);
  return {
    value,
    choose,
    offer(offered: readonly Value[], usual: Value) {
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
