import 'openapi-explorer/dist/browser/openapi-explorer.min.js';
import { find } from './dom.ts';
import { storageName } from './key-field.ts';

/** The web component that renders an OpenAPI document; only the members used here. */
interface Explorer extends HTMLElement {
  loadSpec(document: object): Promise<void>;
  setAuthenticationConfiguration(scheme: string, credentials: { token: string }): Promise<void>;
}

/** The colors of style/base.css: the component does not accept CSS variables. */
const colors = {
  light: {
    primary: '#0f6b5f',
    secondary: '#0f6b5f',
    bg: '#ffffff',
    text: '#1d1c1a',
    header: '#1d1c1a',
    nav: '#f7f6f3',
  },
  dark: { primary: '#5fc2b1', secondary: '#5fc2b1', bg: '#1c1e1c', text: '#eceae5', header: '#eceae5', nav: '#141513' },
};

/** Root of the API: `/` locally, `/v1/` below a stage. */
const root = new URL('.', location.href);
const contract = JSON.parse(find(document, '#contract', HTMLScriptElement).text) as object;

const explorer = document.createElement('openapi-explorer') as Explorer;
for (const name of ['hide-server-selection', 'use-path-in-nav-bar']) explorer.setAttribute(name, '');
explorer.setAttribute('server-url', root.href.replace(/\/$/, ''));
applyColors();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyColors);
find(document, '#contract-view', HTMLElement).append(explorer);
await explorer.loadSpec({ ...contract, servers: [{ url: root.href.replace(/\/$/, '') }] });

// The key that was entered in the console.
const key = sessionStorage.getItem(storageName);
if (key) await explorer.setAuthenticationConfiguration('bearer', { token: key });

function applyColors(): void {
  const { primary, secondary, bg, text, header, nav } =
    colors[matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'];
  const attributes = {
    'primary-color': primary,
    'secondary-color': secondary,
    'bg-color': bg,
    'header-bg-color': bg,
    'text-color': text,
    'header-color': header,
    'nav-bg-color': nav,
    'nav-text-color': text,
    'nav-hover-bg-color': bg,
    'nav-hover-text-color': primary,
  };
  for (const [name, value] of Object.entries(attributes)) explorer.setAttribute(name, value);
}
