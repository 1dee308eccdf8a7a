import { type ActionServices, createActions } from './actions.ts';
import type { Api, Seen, Variant, VideoView } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import { type Card, createCard } from './card.ts';
import type { Connection } from './connection.ts';
import { find } from './dom.ts';
import type { Picture } from './fit-picture.ts';
import type { Follower } from './follow.ts';
import { hasEnded, statusWords } from './words.ts';

export interface GalleryServices {
  api: Api;
  connection: Connection;
  /** Asks for what has not ended. */
  follower: () => Follower;
  reuse: (video: VideoView, picture?: Picture) => void;
  refused: ActionServices['refused'];
  /** Told whenever a video has moved on, or is gone: what is spent, and set aside, may be another sum. */
  moved: () => void;
}

/** The owner's videos, newest first. */
export interface Gallery {
  /** Reads the newest videos. @returns whether they could be read */
  load(): Promise<boolean>;
  /** Takes a video that was just made. */
  add(video: VideoView, picture: Picture): void;
  /** What is shown of a video; undefined when it is not there. */
  shown(id: string): Seen | undefined;
  /** Shows a video as it is, unless it is shown in a later state. */
  show(seen: Seen): void;
  /** Takes a video away that does not exist any more. */
  gone(id: string): void;
  /** Shows what has changed by time alone; meant for every second. */
  tick(): void;
  clear(): void;
}

/** When a video is asked for that has not ended: soon, since a list may be a little behind. */
const soonSeconds = 1;

export function createGallery(page: Document, services: GalleryServices): Gallery {
  const { api, connection, follower, reuse, refused, moved } = services;
  const list = find(page, '#list', HTMLOListElement);
  const more = find(page, '#more', HTMLButtonElement);
  const refresh = find(page, '#refresh', HTMLButtonElement);
  /** Another map after each `clear`: what was asked for before then belongs to another key. */
  let cards = new Map<string, Card>();
  const pictures = new Map<string, Picture>();
  /** Takes back what cards ask about their videos. */
  const lookups = new Map<string, AbortController>();
  /** Where older videos begin; null when all are shown, undefined before the first page. */
  let older: string | null | undefined;

  const cardServices = {
    async link(id: string, variant: Variant) {
      const { signal } = lookupsOf(id);
      const found = await connection.attempt(() => api.content(id, variant, signal).catch(none), signal);
      return found === 'failed' ? undefined : found;
    },
    act: createActions({ api, show, leaving, gone, refused, sleep }),
    reuse: (video: VideoView) => reuse(video, pictures.get(video.id)),
  };

  function show(seen: Seen): void {
    const { video } = seen;
    const card = cards.get(video.id);
    if (!card) insert(createCard(page, seen, cardServices));
    else {
      const before = card.seen;
      if (before.video.updated_at > video.updated_at) return;
      const isSame = before.video.updated_at === video.updated_at && before.video.status === video.status;
      // A list has no ETags: where it shows the same state, the known one still names it, though the queue may have moved.
      card.update(isSame && seen.etag === undefined ? { video, etag: before.etag } : seen);
      if (before.video.status !== video.status) {
        if (hasEnded(video)) say(`${statusWords[video.status]}: ${video.input.prompt ?? 'a video'}`);
        moved();
      }
    }
    if (!hasEnded(video)) follower().follow(video.id, soonSeconds);
  }

  function insert(card: Card): void {
    const { element, seen } = card;
    cards.set(seen.video.id, card);
    element.dataset.order = orderOf(seen.video);
    const next = [...list.children].find((other) => ((other as HTMLElement).dataset.order ?? '') < orderOf(seen.video));
    list.insertBefore(element, next ?? null);
    showEmpty();
  }

  function lookupsOf(id: string): AbortController {
    const known = lookups.get(id) ?? new AbortController();
    lookups.set(id, known);
    return known;
  }

  function leaving(id: string): void {
    follower().forget(id);
    lookups.get(id)?.abort();
    lookups.delete(id);
  }

  function gone(id: string): void {
    leaving(id);
    const card = cards.get(id);
    if (!card) return;
    cards.delete(id);
    pictures.delete(id);
    if (card.element.contains(document.activeElement)) neighbour(card.element).focus({ preventScroll: true });
    card.element.remove();
    say(`Deleted: ${card.seen.video.input.prompt ?? 'a video'}`);
    showEmpty();
    moved();
  }

  /** Where the cursor goes when a card leaves: to the next one's first button, or to the list. */
  const neighbour = (element: Element): HTMLElement =>
    (element.nextElementSibling ?? element.previousElementSibling)?.querySelector<HTMLElement>(
      '.actions button:not([hidden])',
    ) ?? find(page, '#videos', HTMLElement);

  function showEmpty(): void {
    find(page, '#empty', HTMLElement).hidden = cards.size > 0;
  }

  function say(words: string): void {
    find(page, '#announcer', HTMLElement).textContent = words;
  }

  async function loadPage(cursor?: string): Promise<boolean> {
    const before = cards;
    const answer = await connection.attempt(() => api.list(cursor));
    if (answer === 'failed' || cards !== before) return false;
    for (const video of answer.data) show({ video, etag: undefined });
    if (cursor !== undefined || older === undefined) older = answer.next_cursor;
    more.hidden = older === null;
    refresh.hidden = false;
    return true;
  }

  more.addEventListener('click', () => older && void loadPage(older));
  refresh.addEventListener('click', () => void loadPage());

  return {
    load: () => loadPage(),
    add(video, picture) {
      show({ video, etag: undefined });
      pictures.set(video.id, picture);
      const card = cards.get(video.id);
      card?.showPicture(URL.createObjectURL(picture.blob));
      card?.element.scrollIntoView({ block: 'nearest' });
    },
    shown: (id) => cards.get(id)?.seen,
    show,
    gone,
    tick() {
      for (const card of cards.values()) card.tick();
    },
    clear() {
      cards = new Map();
      pictures.clear();
      list.replaceChildren();
      older = undefined;
      more.hidden = true;
      refresh.hidden = true;
      showEmpty();
    },
  };
}

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** What the list is sorted by. */
const orderOf = ({ created_at, id }: VideoView): string => `${created_at}#${id}`;

/** Where there is nothing to fetch, there is no link. @throws any other problem */
function none(error: unknown): undefined {
  if (error instanceof ApiProblem && (error.status === 404 || error.status === 409)) return undefined;
  throw error;
}
