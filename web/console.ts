import type { ConsoleSettings } from '../functions/api/pages/console.ts';
import { createApi } from './api.ts';
import type { ApiProblem } from './api-problem.ts';
import { createNewsQuestion } from './ask-for-news.ts';
import { createBudget } from './budget.ts';
import { createComposer } from './composer.ts';
import { createConnection } from './connection.ts';
import { find, say } from './dom.ts';
import { createFieldErrors } from './field-errors.ts';
import { createFollower } from './follow.ts';
import { createGallery } from './gallery.ts';
import { createKeyField } from './key-field.ts';

/** The API's root: `/` on this machine, `/v1/` below a stage, whose last slash a browser may lack. */
const base = new URL(location.pathname.replace(/\/?$/, '/'), location.origin);
const settings = JSON.parse(find(document, '#settings', HTMLScriptElement).text) as ConsoleSettings;
const now = () => Date.now();

for (const link of document.querySelectorAll<HTMLAnchorElement>('a[data-route]'))
  link.href = new URL(link.dataset.route ?? '', base).href;

const errors = createFieldErrors(document);
const keyField = createKeyField(document, errors, {
  given: () => void begin(),
  forgotten: forget,
});
const api = createApi(base, keyField.key);
const connection = createConnection((words) => say(find(document, '#connection', HTMLElement), words), refused);
const budget = createBudget(document, api, connection);
const composer = createComposer(document, {
  api,
  settings,
  errors,
  requireKey: keyField.require,
  refused,
  priced: budget.choose,
  submitted: (video, picture) => {
    gallery.add(video, picture);
    void open();
  },
});
const gallery = createGallery(document, {
  api,
  connection,
  follower: () => follower,
  reuse: composer.reuse,
  refused,
  moved: () => void budget.refresh(),
});
const follower = createFollower({
  ask: createNewsQuestion({
    api,
    connection,
    now,
    shown: gallery.shown,
    show: gallery.show,
    gone: gallery.gone,
  }),
  now,
  timer: (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
});

/** Nothing of a key's owner stays on the page. */
function forget(): void {
  follower.clear();
  gallery.clear();
  budget.clear();
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
  if (!(await gallery.load())) return;
  keyField.accept();
  await budget.refresh();
}

/** As `open`, and offers what is offered by now: the page may be older. */
async function begin(): Promise<void> {
  if (keyField.key() === '') return;
  await open();
  const models = keyField.key() === '' ? 'failed' : await connection.attempt(() => api.models());
  if (models !== 'failed') composer.renew(models);
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return follower.pause();
  follower.resume();
  void begin();
});
setInterval(gallery.tick, 1000);
void begin();
