import type { DeliveryView, VideoView } from './api.ts';
import { ApiProblem, formatProblem } from './api-problem.ts';
import { find, setText } from './dom.ts';
import { formatAnswer, formatDateTime } from './formatting.ts';

export interface DeliveryServices {
  list(id: string): Promise<DeliveryView[]>;
  redeliver(id: string, sequence: number): Promise<DeliveryView>;
  sleep(milliseconds: number): Promise<void>;
  /** Called when the API rejects the key. */
  keyRejected(problem: ApiProblem): void;
}

export interface Deliveries {
  close(): void;
}

/** When to read a delivery that was sent again. */
const followUpSeconds = [1, 2, 4, 8];

/** The deliveries of a card's video. They are read when the user opens them. */
export function createDeliveries(card: HTMLElement, shown: () => VideoView, services: DeliveryServices): Deliveries {
  const opener = find(card, '.show-deliveries', HTMLButtonElement);
  const place = find(card, '.deliveries', HTMLElement);
  const list = find(place, '.deliveries-list', HTMLUListElement);
  const note = find(place, '.deliveries-note', HTMLElement);
  const message = find(card, '.action-message', HTMLElement);
  let rows = new Map<number, Row>();
  /** Changes when the list is opened or closed: earlier responses are ignored. */
  let opened: symbol | undefined;

  function toggle(isOpen: boolean): void {
    opened = isOpen ? Symbol() : undefined;
    opener.ariaExpanded = String(isOpen);
    place.hidden = !isOpen;
    rows = new Map();
    list.replaceChildren();
    setText(note, isOpen ? 'Loading…' : undefined);
    setText(message, undefined);
  }

  /** @returns undefined when the call failed, or when the list or the card is no longer shown */
  async function attempt<Result>(call: () => Promise<Result>): Promise<Result | undefined> {
    const before = opened;
    const isCurrent = () => before !== undefined && opened === before && card.isConnected;
    try {
      const result = await call();
      return isCurrent() ? result : undefined;
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (!isCurrent()) return undefined;
      setText(note, undefined);
      if (error.rejectsKey) services.keyRejected(error);
      else setText(message, explain(error));
      return undefined;
    }
  }

  function show(delivery: DeliveryView): void {
    const row = rows.get(delivery.sequence) ?? createRow(() => sendAgain(delivery.sequence));
    if (!rows.has(delivery.sequence)) list.append(row.element);
    rows.set(delivery.sequence, row);
    row.update(delivery);
  }

  async function read(): Promise<DeliveryView[] | undefined> {
    const deliveries = await attempt(() => services.list(shown().id));
    for (const delivery of deliveries ?? []) show(delivery);
    return deliveries;
  }

  async function open(): Promise<void> {
    toggle(true);
    const deliveries = await read();
    if (deliveries) setText(note, deliveries.length === 0 ? noDeliveries : undefined);
  }

  /** Sends an event again and shows what became of it. */
  async function sendAgain(sequence: number): Promise<void> {
    const current = opened;
    setText(message, undefined);
    setText(note, 'Sending again…');
    let delivery = await attempt(() => services.redeliver(shown().id, sequence));
    if (!delivery) return;
    show(delivery);
    for (const seconds of followUpSeconds) {
      await services.sleep(seconds * 1000);
      if (opened !== current || !card.isConnected) return;
      delivery = (await read())?.find((each) => each.sequence === sequence);
      if (!delivery) return;
      if (hasAnswer(delivery)) break;
    }
    setText(note, `${delivery.type}: ${stateLabels[delivery.state]}.`);
  }

  opener.addEventListener('click', () => {
    if (opened) toggle(false);
    else void open();
  });

  return { close: () => toggle(false) };
}

interface Row {
  element: HTMLElement;
  update(delivery: DeliveryView): void;
}

/** @param sendAgain not called again until it has ended */
function createRow(sendAgain: () => Promise<void>): Row {
  const copy = find(document, '#delivery', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
  const element = find(copy, '.delivery', HTMLElement);
  const part = (name: string) => find(element, `.${name}`, HTMLElement);
  const button = find(element, '.send-again', HTMLButtonElement);
  button.addEventListener('click', () => {
    if (button.ariaBusy) return;
    button.ariaBusy = 'true';
    void sendAgain().finally(() => {
      button.ariaBusy = null;
    });
  });
  return {
    element,
    update(delivery) {
      element.dataset.state = delivery.state;
      part('delivery-type').textContent = delivery.type;
      part('delivery-state').textContent = stateLabels[delivery.state];
      part('delivery-facts').textContent = describeDelivery(delivery);
      button.ariaLabel = `Send again: ${delivery.type} to ${delivery.host}`;
    },
  };
}

const stateLabels: Readonly<Record<DeliveryView['state'], string>> = {
  pending: 'Pending',
  delivered: 'Delivered',
  failed: 'Failed',
  dropped: 'Dropped',
};

const noDeliveries = 'No webhook got an event of this video in the last 30 days.';

/** Whether an event that was sent again was tried. */
const hasAnswer = ({ state, attempts }: DeliveryView): boolean => state !== 'pending' || attempts > 0;

/** `example.com · 2 attempts · 1 Dec, 10:36: status 204 in 87 ms`. */
export function describeDelivery(delivery: DeliveryView): string {
  const { host, state, attempts, last_attempts, next_at } = delivery;
  const last = last_attempts.at(-1);
  return [
    host,
    formatAttempts(attempts, last !== undefined && state === 'pending'),
    ...(last ? [`${formatDateTime(last.at)}: ${formatAnswer(last)}`] : []),
    ...(state === 'dropped' ? ['a newer event was delivered before, or the webhook ended'] : []),
    ...(next_at ? [`next attempt by ${formatDateTime(next_at)}`] : []),
  ].join(' · ');
}

function formatAttempts(attempts: number, isSentAgain: boolean): string {
  if (attempts === 0) return isSentAgain ? 'is sent again' : 'not tried';
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`;
}

/** A problem in the words of the page, which has a panel for the webhook. */
const explain = (problem: ApiProblem): string =>
  formatProblem(problem) + (problem.code === 'no_webhook' ? ' Set it under “Webhook”, then send the event again.' : '');
