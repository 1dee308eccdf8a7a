import type { ConsoleSettings } from '../functions/api/pages/console.ts';
import { createApi } from './api.ts';
import type { ApiProblem } from './api-problem.ts';
import { createBudget } from './budget.ts';
import { createComposer } from './composer.ts';
import { createConnection } from './connection.ts';
import { find, setText } from './dom.ts';
import { createFieldErrors } from './field-errors.ts';
import { createGallery } from './gallery.ts';
import { createKeyField } from './key-field.ts';
import { createPollVideo } from './poll-video.ts';
import { createPoller } from './poller.ts';
import { createWebhookPanel } from './webhook-panel.ts';

/** Root of the API: `/` locally, `/v1/` below a stage, where the address may lack the last slash. */
const base = new URL(location.pathname.replace(/\/?$/, '/'), location.origin);
const settings = JSON.parse(find(document, '#settings', HTMLScriptElement).text) as ConsoleSettings;
const now = () => Date.now();

for (const link of document.querySelectorAll<HTMLAnchorElement>('a[data-route]'))
  link.href = new URL(link.dataset.route ?? '', base).href;

find(document, '#emulated', HTMLElement).hidden = !settings.emulated;

const errors = createFieldErrors(document);
const keyField = createKeyField(document, errors, {
  entered: () => void start(),
  removed: clear,
});
const api = createApi(base, keyField.key);
const connection = createConnection((message) => {
  setText(find(document, '#connection', HTMLElement), message);
  if (!message) errors.reconnected();
}, keyRejected);
const budget = createBudget(document, api, connection);
const webhook = createWebhookPanel(document, { api, errors, keyRejected });
const composer = createComposer(document, {
  api,
  settings,
  errors,
  requireKey: keyField.require,
  keyRejected,
  priceChanged: budget.choose,
  submitted: (video, image) => {
    gallery.add(video, image);
    void load();
  },
});
const gallery = createGallery(document, {
  api,
  connection,
  poller: () => poller,
  reuse: composer.reuse,
  keyRejected,
  statusChanged: () => void budget.refresh(),
});
const poller = createPoller({
  poll: createPollVideo({
    api,
    connection,
    now,
    shown: gallery.shown,
    show: gallery.show,
    removed: gallery.removed,
  }),
  now,
  timer: (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
});

/** Removes everything that belongs to the owner of the key. */
function clear(): void {
  poller.clear();
  gallery.clear();
  budget.clear();
  webhook.clear();
}

function keyRejected(problem: ApiProblem): void {
  clear();
  keyField.reject();
  errors.clear('key');
  errors.showProblem(problem);
}

/** Shows the videos and the spending of the key's owner; success proves the key valid. */
async function load(): Promise<void> {
  if (!(await gallery.load())) return;
  keyField.accept();
  webhook.show();
  await budget.refresh();
}

/** Also updates the models: the page may be older than the deployment. */
async function start(): Promise<void> {
  if (keyField.key() === '') return;
  await load();
  const models = keyField.key() === '' ? 'failed' : await connection.attempt(() => api.models());
  if (models !== 'failed') composer.setModels(models);
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return poller.pause();
  poller.resume();
  void start();
});
setInterval(gallery.tick, 1000);
void start();
