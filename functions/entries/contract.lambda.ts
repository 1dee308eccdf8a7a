import style from '../../web/docs.css?bundled';
import html from '../../web/docs.html';
import script from '../../web/docs.ts?bundled';
import contract from '../api/openapi/document.ts?json';
import { readEnvironment } from '../shared/environment.ts';
import { composeContract } from './api.ts';

export const handler = composeContract(readEnvironment('contract'), { html, style, script, contract });
