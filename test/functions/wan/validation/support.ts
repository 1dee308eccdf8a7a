import { type CheckOptions, checkRequest } from '../../../../functions/wan/validation/request.ts';
import { aDeployment, everyModel } from '../../../support/videos.ts';

export const strict: CheckOptions = { mode: 'strict', trustedOrigins: [], deployment: aDeployment() };
/** In a deployment that offers every model. */
export const all: CheckOptions = { ...strict, deployment: everyModel };
export const tolerant: CheckOptions = { ...strict, mode: 'tolerant' };
export const img_url = 'https://example.com/cat.png';

/** `pointer code` of each finding, in order. */
export function findings(body: unknown, options = strict): string[] {
  const checked = checkRequest(body, options);
  const list = checked.ok
    ? checked.warnings.map((warning) => ({ ...warning, code: `! ${warning.code}` }))
    : checked.issues;
  return list.map(({ pointer, code }) => `${pointer} ${code}`);
}

export const body = (parameters: object = {}, input: object = {}, model = 'wan2.6-i2v') => ({
  model,
  input: { img_url, ...input },
  parameters,
});
