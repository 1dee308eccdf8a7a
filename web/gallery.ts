import { type Api, ApiProblem, type Asked, type VideoView } from './api.ts';
import { type Card, createCard } from './card.ts';
import type { Connection } from './connection.ts';
import { find } from './dom.ts';
import type { Picture } from './fit-picture.ts';
import type { Follower } from './follow.ts';
import { hasEnded, statusWords } from './words.ts';

export interface GalleryServices {
  api: Api;
  connection: Connection;
  /** Asks for what has not ended, through `Gallery.ask`. */
  follower: () => Follower;
  reuse: (video: VideoView, picture?: Picture) => void;
}

/** The owner's videos, newest first. */
export interface Gallery {
  /** Reads the newest videos. @returns whether they could be read */
  load(): Promise<boolean>;
  /** Takes a video that was just made. */
  add(asked: Asked, picture: Picture): void;
  /** Asks for one video and shows it; never rejects. @returns in how many seconds to ask again, undefined when it has ended */
  ask(id: string): Promise<number | undefined>;
  /** Shows what has changed by time alone; meant for every second. */
  tick(): void;
  clear(): void;
}

/** When a video is asked for that the list shows as under way: soon, since a list may be a little behind. */
const soonSeconds = 1;

export function createGallery(page: Document, { api, connection, follower, reuse }: GalleryServices): Gallery {
  const list = find(page, '#list', HTMLOListElement);
  const more = find(page, '#more', HTMLButtonElement);
  const refresh = find(page, '#refresh', HTMLButtonElement);
  /** Another map after each `clear`: what was asked for before then belongs to another key. */
  let cards = new Map<string, Card>();
  const pictures = new Map<string, Picture>();
  /** Where older videos begin; null when all are shown, undefined before the first page. */
  let older: string | null | undefined;

  const cardServices = {
    link: (id: string) => connection.attempt(() => api.content(id)),
    reuse: (video: VideoView) => reuse(video, pictures.get(video.id)),
  };

  function show(video: VideoView): void {
    const card = cards.get(video.id);
    if (!card) insert(createCard(page, video, cardServices));
    else if (card.video.updated_at <= video.updated_at) {
      if (card.video.status !== video.status) announce(video);
      card.update(video);
    }
  }

  function insert(card: Card): void {
    cards.set(card.video.id, card);
    const { element } = card;
    element.dataset.order = orderOf(card.video);
    const next = [...list.children].find((other) => ((other as HTMLElement).dataset.order ?? '') < orderOf(card.video));
    list.insertBefore(element, next ?? null);
    showEmpty();
  }

  function showEmpty(): void {
    find(page, '#empty', HTMLElement).hidden = cards.size > 0;
  }

  function announce({ status, input }: VideoView): void {
    if (status !== 'succeeded' && status !== 'failed') return;
    find(page, '#announcer', HTMLElement).textContent = `${statusWords[status]}: ${input.prompt ?? 'a video'}`;
  }

  async function loadPage(cursor?: string): Promise<boolean> {
    const before = cards;
    const answer = await connection.attempt(() => api.list(cursor));
    if (!answer || cards !== before) return false;
    for (const video of answer.data) {
      show(video);
      if (!hasEnded(video)) follower().follow(video.id, soonSeconds);
    }
    if (cursor !== undefined || older === undefined) older = answer.next_cursor;
    more.hidden = older === null;
    refresh.hidden = false;
    return true;
  }

  more.addEventListener('click', () => older && void loadPage(older));
  refresh.addEventListener('click', () => void loadPage());

  return {
    load: () => loadPage(),
    add({ video, retryAfter }, picture) {
      show(video);
      pictures.set(video.id, picture);
      const card = cards.get(video.id);
      card?.showPicture(URL.createObjectURL(picture.blob));
      card?.element.scrollIntoView({ block: 'nearest' });
      if (!hasEnded(video)) follower().follow(video.id, retryAfter ?? soonSeconds);
    },
    async ask(id) {
      const asked = await connection.attempt(() => api.get(id).catch(gone));
      if (asked === undefined) return cards.has(id) ? connection.patience() : undefined;
      if (asked === null) {
        cards.get(id)?.element.remove();
        cards.delete(id);
        showEmpty();
        return undefined;
      }
      if (!cards.has(id)) return undefined;
      show(asked.video);
      return hasEnded(asked.video) ? undefined : (asked.retryAfter ?? soonSeconds);
    },
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

/** What the list is sorted by. */
const orderOf = ({ created_at, id }: VideoView): string => `${created_at}#${id}`;

/** A video that is not there any more is an answer. @throws any other problem */
function gone(error: unknown): null {
  if (error instanceof ApiProblem && error.status === 404) return null;
  throw error;
}
