import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { VideoView } from './api.ts';
import { find } from './dom.ts';
import { describeModel, formatMoney, formatPrice } from './formatting.ts';
import { byCost, costOf } from './prices.ts';
import { createSegmentedControl } from './segmented-control.ts';

type Resolution = OfferedModel['resolutions'][number];

/** Model, resolution and duration of the form, and the price they lead to. */
export interface Options {
  chosen(): { model: OfferedModel; resolution: Resolution; duration: number };
  /** Price of the chosen video; undefined where it is unknown. */
  cost(): number | undefined;
  /** Chooses the settings of another video where they are offered. */
  choose(video: Pick<VideoView, 'model' | 'parameters'>): void;
  /** Replaces the offered models or their prices; keeps the choice where it is still offered. */
  setModels(models: readonly OfferedModel[]): void;
}

/** @param changed called when the choice or its price changes */
export function createOptions(page: ParentNode, models: readonly OfferedModel[], changed: () => void): Options {
  const modelSelect = find(page, '#model', HTMLSelectElement);
  const resolutions = createSegmentedControl<Resolution>(
    find(page, '#resolution', HTMLElement),
    'resolution',
    (value) => value,
  );
  const durations = createSegmentedControl<number>(
    find(page, '#duration', HTMLElement),
    'duration',
    (value) => `${value} s`,
  );
  let offered: OfferedModel[] = [];

  const chosenModel = (): OfferedModel => {
    const [first] = offered;
    if (!first) throw new Error('No model is offered.');
    return offered.find(({ name }) => name === modelSelect.value) ?? first;
  };
  const chosen: Options['chosen'] = () => {
    const model = chosenModel();
    return {
      model,
      resolution: resolutions.value() ?? model.default_resolution,
      duration: durations.value() ?? model.default_duration,
    };
  };

  /** Shows the options of the chosen model, and the price. */
  function show(): void {
    const model = chosenModel();
    resolutions.setOptions(model.resolutions, model.default_resolution);
    durations.setOptions(shownDurations(model), model.default_duration);
    find(page, '#model-hint', HTMLElement).textContent = describeModel(model);
    const { resolution, duration } = chosen();
    const { price, note } = formatPrice(model, resolution, duration);
    find(page, '#price', HTMLElement).textContent = price;
    find(page, '#price-note', HTMLElement).textContent = note;
  }
  function update(): void {
    show();
    changed();
  }
  function setModels(available: readonly OfferedModel[]): void {
    offered = byCost(available);
    const before = modelSelect.value;
    modelSelect.replaceChildren(...offered.map((model) => new Option(optionText(model), model.name)));
    modelSelect.value = offered.some(({ name }) => name === before) ? before : chosenModel().name;
    show();
  }

  setModels(models);
  for (const selector of ['#model', '#resolution', '#duration'])
    find(page, selector, HTMLElement).addEventListener('change', update);

  return {
    chosen,
    cost() {
      const { model, resolution, duration } = chosen();
      return costOf(model, resolution, duration)?.amount;
    },
    choose({ model, parameters }) {
      if (offered.some(({ name }) => name === model)) modelSelect.value = model;
      show();
      resolutions.choose(parameters.resolution);
      durations.choose(parameters.duration);
      update();
    },
    setModels(available) {
      if (available.length === 0 || JSON.stringify(byCost(available)) === JSON.stringify(offered)) return;
      setModels(available);
      changed();
    },
  };
}

/** Of many lengths, those that are multiples of 5 s. */
const shownDurations = ({ durations }: OfferedModel): readonly number[] =>
  durations.length > 6 ? durations.filter((seconds) => seconds % 5 === 0) : durations;

/** `wan2.2-i2v-flash · from $0.075`. */
function optionText({ name, prices, durations, currency }: OfferedModel): string {
  const units = Object.values(prices);
  if (units.length === 0) return name;
  return `${name} · from ${formatMoney(Math.min(...units) * Math.min(...durations), currency)}`;
}
