import type { APIGatewayProxyResult } from 'aws-lambda';
import { MAX_INLINE_BYTES } from '../../submissions/check-body.ts';
import type { Deployment } from '../../wan/prices.ts';
import { describeModels, type OfferedModel } from '../videos/models.ts';
import { dataBlock, fillPage, hashSource, pageResponse } from './page.ts';

/** Texts that the page is assembled from. */
interface ConsoleParts {
  /** Has a placeholder for each of the others: `<!-- style -->`, `<!-- settings -->`, `<!-- script -->`. */
  html: string;
  style: string;
  script: string;
}

/**
 * `GET /`: the console. Its Content-Security-Policy allows only its own script and style. It loads videos and first frames from S3 and
 * uploads images to S3, by presigned URLs; nothing else crosses the origin.
 * @param storageOrigins origins of storage other than AWS's S3, such as the local one
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

/** What the form needs before a key is entered, as JSON in the page. */
export interface ConsoleSettings {
  models: OfferedModel[];
  /** A larger image is uploaded before the request. */
  inline_image_bytes: number;
  /** Whether videos come from the emulator of Wan. */
  emulated: boolean;
}

/**
 * The settings of a deployment. `GET /models` replaces the models on the page.
 * @param deployment a loopback address as its base URL is the emulator's
 */
export const consoleSettings = (deployment: Deployment): ConsoleSettings => ({
  models: describeModels(deployment),
  inline_image_bytes: MAX_INLINE_BYTES,
  emulated: ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(deployment.base_url).hostname),
});
