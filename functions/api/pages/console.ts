import type { APIGatewayProxyResult } from 'aws-lambda';
import { MAX_INLINE_IMAGE_BYTES } from '../../submissions/check-body.ts';
import type { Region } from '../../wan/regions.ts';
import { type OfferedModel, offeredModels } from '../videos/models.ts';
import { dataBlock, fillPage, hashSource, pageResponse } from './page.ts';

/** What the page is put together from, as text. */
interface ConsoleParts {
  /** Has a comment for each of the others: `<!-- style -->`, `<!-- settings -->`, `<!-- script -->`. */
  html: string;
  style: string;
  script: string;
}

/**
 * `GET /`: the console. Its policy lets run what is in it and nothing else. It loads nothing from elsewhere but videos and
 * their first frames, and sends nothing elsewhere but pictures: all by presigned links to S3.
 * @param storageOrigins where videos and uploads lie besides AWS's own S3: the local one, on a developer's machine
 */
export function consolePage(
  { html, style, script }: ConsoleParts,
  settings: ConsoleSettings,
  storageOrigins: readonly string[],
): APIGatewayProxyResult {
  const page = fillPage(html, {
    style: `<style>${style}</style>`,
    settings: dataBlock('settings', JSON.stringify(settings)),
    script: `<script type="module">${script}</script>`,
  });
  const storage = ['https://*.amazonaws.com', 'https://*.amazonaws.com.cn', ...storageOrigins];
  return pageResponse(page, {
    'script-src': [hashSource(script)],
    'style-src': [hashSource(style)],
    'connect-src': ["'self'", ...storage],
    'img-src': ['data:', 'blob:', ...storage],
    'media-src': storage,
  });
}

/** What the console's form offers before there is a key, as JSON within the page. */
export interface ConsoleSettings {
  models: OfferedModel[];
  /** A larger picture is uploaded before its video is asked for. */
  inline_image_bytes: number;
}

/** What a region offers: as `GET /models` tells, whose answer replaces it on the page. */
export const consoleSettings = (region: Region): ConsoleSettings => ({
  models: offeredModels(region),
  inline_image_bytes: MAX_INLINE_IMAGE_BYTES,
});
