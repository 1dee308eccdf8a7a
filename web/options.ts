import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { VideoView } from './api.ts';
import { find } from './dom.ts';
import { byCost, costOf } from './offers.ts';
import { segments } from './segments.ts';
import { modelInWords, moneyInWords, priceInWords } from './words.ts';

type Resolution = OfferedModel['resolutions'][number];

/** Model, resolution and length: what can be chosen, and what it costs. */
export interface Options {
  chosen(): { model: OfferedModel; resolution: Resolution; duration: number };
  /** What the chosen video costs; undefined where no price is known. */
  cost(): number | undefined;
  /** Chooses what another video was made with, as far as it is offered. */
  choose(video: Pick<VideoView, 'model' | 'parameters'>): void;
  /** Offers other models, or the same ones at other prices; what was chosen stays, as far as it is offered. */
  renew(models: readonly OfferedModel[]): void;
}

/** @param changed called whenever something else is chosen, or costs something else */
export function createOptions(page: ParentNode, models: readonly OfferedModel[], changed: () => void): Options {
  const model = find(page, '#model', HTMLSelectElement);
  const resolution = segments<Resolution>(find(page, '#resolution', HTMLElement), 'resolution', (value) => value);
  const duration = segments<number>(find(page, '#duration', HTMLElement), 'duration', (value) => `${value} s`);
  const price = find(page, '#price', HTMLElement);
  const priceNote = find(page, '#price-note', HTMLElement);
  let offers: OfferedModel[] = [];

  const chosenModel = (): OfferedModel => {
    const [first] = offers;
    if (!first) throw new Error('No model is offered.');
    return offers.find(({ name }) => name === model.value) ?? first;
  };
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
    const words = priceInWords(named, tier, seconds);
    price.textContent = words.price;
    priceNote.textContent = words.note;
  }
  function react(): void {
    offer();
    changed();
  }
  function fill(given: readonly OfferedModel[]): void {
    offers = byCost(given);
    const before = model.value;
    model.replaceChildren(...offers.map((offered) => new Option(optionText(offered), offered.name)));
    model.value = offers.some(({ name }) => name === before) ? before : chosenModel().name;
    offer();
  }

  fill(models);
  for (const place of ['#model', '#resolution', '#duration'])
    find(page, place, HTMLElement).addEventListener('change', react);

  return {
    chosen,
    cost() {
      const { model: of, resolution: tier, duration: seconds } = chosen();
      return costOf(of, tier, seconds)?.amount;
    },
    choose({ model: name, parameters }) {
      if (offers.some((offered) => offered.name === name)) model.value = name;
      offer();
      resolution.choose(parameters.resolution);
      duration.choose(parameters.duration);
      react();
    },
    renew(given) {
      if (given.length === 0 || JSON.stringify(byCost(given)) === JSON.stringify(offers)) return;
      fill(given);
      changed();
    },
  };
}

/** `wan2.2-i2v-flash · from $0.075`. */
function optionText({ name, prices, durations, currency }: OfferedModel): string {
  const units = Object.values(prices);
  if (units.length === 0) return name;
  return `${name} · from ${moneyInWords(Math.min(...units) * Math.min(...durations), currency)}`;
}
