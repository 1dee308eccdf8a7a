import type { ConsoleSettings } from '../functions/api/console-settings.ts';
import { type ApiProblem, createApi } from './api.ts';
import { createComposer } from './composer.ts';
import { createConnection } from './connection.ts';
import { find } from './dom.ts';
import { createFieldErrors } from './field-errors.ts';
import { createFollower } from './follow.ts';
import { createGallery } from './gallery.ts';
import { createKeyField } from './key-field.ts';

/** The API's root: `/` on this machine, `/v1/` below a stage, whose last slash a browser may lack. */
const base = new URL(location.pathname.replace(/\/?$/, '/'), location.origin);
const settings = JSON.parse(find(document, '#settings', HTMLScriptElement).text) as ConsoleSettings;

const errors = createFieldErrors(document);
const keyField = createKeyField(document, errors, {
  given: () => void open(),
  forgotten: forget,
});
const api = createApi(base, keyField.key);
const connection = createConnection(document, refused);
const composer = createComposer(document, {
  api,
  settings,
  errors,
  requireKey: keyField.require,
  refused,
  submitted: (asked, picture) => {
    gallery.add(asked, picture);
    void open();
  },
});
const gallery = createGallery(document, { api, connection, follower: () => follower, reuse: composer.reuse });
const follower = createFollower({
  ask: gallery.ask,
  now: () => Date.now(),
  timer: (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
});

/** Nothing of a key's owner stays on the page. */
function forget(): void {
  follower.clear();
  gallery.clear();
}

/** The key is not taken: nothing more is asked with it. */
function refused(problem: ApiProblem): void {
  forget();
  keyField.refuse();
  errors.clear('key');
  errors.showProblem(problem);
}

/** Shows what belongs to the key, which is known to be good from then on. */
async function open(): Promise<void> {
  if (await gallery.load()) keyField.accept();
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return follower.pause();
  follower.resume();
  if (keyField.key() !== '') void open();
});
setInterval(gallery.tick, 1000);
if (keyField.key() !== '') void open();
