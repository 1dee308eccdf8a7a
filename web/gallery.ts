import { type ActionServices, createActions } from './actions.ts';
import type { Api, Snapshot, Variant, VideoView } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import { type Card, createCard } from './card.ts';
import type { Connection } from './connection.ts';
import { find } from './dom.ts';
import { hasEnded, statusLabels } from './formatting.ts';
import type { Poller } from './poller.ts';
import type { PreparedImage } from './prepare-image.ts';

export interface GalleryServices {
  api: Api;
  connection: Connection;
  /** Polls the videos that have not ended. */
  poller: () => Poller;
  /** @param firstFrame the image that the video starts with; undefined when it cannot be loaded */
  reuse: (video: VideoView, firstFrame: Promise<Blob | undefined>) => void;
  keyRejected: ActionServices['keyRejected'];
  /** Called when the status of a video changed or it was removed: the spending may have changed. */
  statusChanged: () => void;
}

/** The owner's videos, newest first. */
export interface Gallery {
  /** Reads the newest videos. @returns whether that succeeded */
  load(): Promise<boolean>;
  /** Adds a video that was just submitted. */
  add(video: VideoView, image: PreparedImage): void;
  /** The shown snapshot of a video; undefined when it is not shown. */
  shown(id: string): Snapshot | undefined;
  /** Shows a snapshot, unless a later one is shown. */
  show(snapshot: Snapshot): void;
  /** Removes the card of a video that no longer exists. */
  removed(id: string): void;
  /** Updates what depends on the clock; meant for every second. */
  tick(): void;
  clear(): void;
}

/** When to poll a video first: soon, since lists are eventually consistent. */
const soonSeconds = 1;

export function createGallery(page: Document, services: GalleryServices): Gallery {
  const { api, connection, poller, reuse, keyRejected, statusChanged } = services;
  const list = find(page, '#list', HTMLOListElement);
  const moreButton = find(page, '#more', HTMLButtonElement);
  const refreshButton = find(page, '#refresh', HTMLButtonElement);
  /** `clear` replaces the map: responses to earlier requests belong to another key. */
  let cards = new Map<string, Card>();
  /** Abort the requests of cards. */
  const controllers = new Map<string, AbortController>();
  /** Cursor of the older videos; null when all are shown, undefined before the first page. */
  let olderCursor: string | null | undefined;

  async function link(id: string, variant: Variant) {
    const { signal } = controllerOf(id);
    const found = await connection.attempt(() => api.content(id, variant, signal).catch(ignoreMissing), signal);
    return found === 'failed' ? undefined : found;
  }

  async function loadFirstFrame(id: string): Promise<Blob | undefined> {
    const found = await link(id, 'first_frame');
    // The page's policy blocks a URL that the caller supplied; those never expire.
    if (!found?.expires_at) return undefined;
    // Not from the cache: the card's <img> may have stored a response without CORS headers.
    return fetch(found.url, { cache: 'no-store', signal: controllerOf(id).signal })
      .then((response) => (response.ok ? response.blob() : undefined))
      .catch(() => undefined);
  }

  const cardServices = {
    link,
    perform: createActions({ api, show, beforeDelete: stopRequests, removed, keyRejected, sleep }),
    reuse: (video: VideoView) => reuse(video, loadFirstFrame(video.id)),
    derive: {
      estimate: api.estimateDerived,
      create: async (...request: Parameters<Api['derive']>) => {
        for (const video of await api.derive(...request)) show({ video, etag: undefined });
        statusChanged();
      },
      keyRejected,
    },
    deliveries: { list: api.deliveries, redeliver: api.redeliver, sleep, keyRejected },
  };

  function show(snapshot: Snapshot): void {
    const { video } = snapshot;
    const card = cards.get(video.id);
    if (!card) insert(createCard(page, snapshot, cardServices));
    else {
      const before = card.snapshot;
      if (before.video.updated_at > video.updated_at) return;
      const isSame = before.video.updated_at === video.updated_at && before.video.status === video.status;
      // A list has no ETags. The known one still names the same state; only the queue position may differ.
      card.update(isSame && snapshot.etag === undefined ? { video, etag: before.etag } : snapshot);
      if (before.video.status !== video.status) {
        if (hasEnded(video)) announce(`${statusLabels[video.status]}: ${video.input.prompt ?? 'a video'}`);
        statusChanged();
      }
    }
    if (!hasEnded(video)) poller().add(video.id, soonSeconds);
  }

  function insert(card: Card): void {
    const { element, snapshot } = card;
    cards.set(snapshot.video.id, card);
    element.dataset.order = orderOf(snapshot.video);
    const next = [...list.children].find(
      (other) => ((other as HTMLElement).dataset.order ?? '') < orderOf(snapshot.video),
    );
    list.insertBefore(element, next ?? null);
    toggleEmptyState();
  }

  function controllerOf(id: string): AbortController {
    const controller = controllers.get(id) ?? new AbortController();
    controllers.set(id, controller);
    return controller;
  }

  function stopRequests(id: string): void {
    poller().remove(id);
    controllers.get(id)?.abort();
    controllers.delete(id);
  }

  function removed(id: string): void {
    stopRequests(id);
    const card = cards.get(id);
    if (!card) return;
    cards.delete(id);
    if (card.element.contains(document.activeElement)) nextFocus(card.element).focus({ preventScroll: true });
    card.element.remove();
    announce(`Deleted: ${card.snapshot.video.input.prompt ?? 'a video'}`);
    toggleEmptyState();
    statusChanged();
  }

  /** What to focus when a card is removed: the first button of its neighbor, or the list. */
  const nextFocus = (element: Element): HTMLElement =>
    (element.nextElementSibling ?? element.previousElementSibling)?.querySelector<HTMLElement>(
      '.actions button:not([hidden])',
    ) ?? find(page, '#videos', HTMLElement);

  function toggleEmptyState(): void {
    find(page, '#empty-state', HTMLElement).hidden = cards.size > 0;
  }

  function announce(text: string): void {
    find(page, '#live-region', HTMLElement).textContent = text;
  }

  async function loadPage(cursor?: string): Promise<boolean> {
    const before = cards;
    const result = await connection.attempt(() => api.list(cursor));
    if (result === 'failed' || cards !== before) return false;
    for (const video of result.data) show({ video, etag: undefined });
    if (cursor !== undefined || olderCursor === undefined) olderCursor = result.next_cursor;
    const hadFocus = document.activeElement === moreButton;
    moreButton.hidden = olderCursor === null;
    if (hadFocus && moreButton.hidden) find(page, '#videos', HTMLElement).focus({ preventScroll: true });
    refreshButton.hidden = false;
    return true;
  }

  moreButton.addEventListener('click', () => olderCursor && void loadPage(olderCursor));
  refreshButton.addEventListener('click', () => void loadPage());

  return {
    load: () => loadPage(),
    add(video, image) {
      show({ video, etag: undefined });
      const card = cards.get(video.id);
      card?.showFirstFrame(URL.createObjectURL(image.blob));
      card?.element.scrollIntoView({ block: 'nearest' });
    },
    shown: (id) => cards.get(id)?.snapshot,
    show,
    removed,
    tick() {
      for (const card of cards.values()) card.tick();
    },
    clear() {
      cards = new Map();
      list.replaceChildren();
      olderCursor = undefined;
      moreButton.hidden = true;
      refreshButton.hidden = true;
      toggleEmptyState();
    },
  };
}

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** The sort key of the list. */
const orderOf = ({ created_at, id }: VideoView): string => `${created_at}#${id}`;

/** @throws any other problem */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof ApiProblem && [404, 409, 410].includes(error.status)) return undefined;
  throw error;
}
