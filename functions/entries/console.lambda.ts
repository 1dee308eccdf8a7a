import style from '../../web/console.css?bundled';
import script from '../../web/console.ts?bundled';
import html from '../../web/index.html';
import { consolePage, consoleSettings } from '../api/pages/console.ts';
import { readEnvironment } from '../shared/environment.ts';

const environment = readEnvironment('console');
const page = consolePage({ html, style, script }, consoleSettings(environment.WAN_REGION), environment.TRUSTED_ORIGINS);

export const handler = async () => page;
