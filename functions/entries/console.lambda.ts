import style from '../../web/console.css?bundled';
import script from '../../web/console.ts?bundled';
import html from '../../web/index.html';
import { readEnvironment } from '../shared/environment.ts';
import { composeConsole } from './api.ts';

export const handler = composeConsole(readEnvironment('console'), { html, style, script });
