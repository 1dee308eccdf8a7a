import type { APIGatewayProxyResult } from 'aws-lambda';
import { type ConfiguredSeconds, typicalSeconds } from '../../polling/durations.ts';
import type { Caller } from '../../shared/caller.ts';
import { isJsonObject, readJson } from '../../shared/json-body.ts';
import { acceptRequest, checkOnly, type Submission } from '../../submissions/accept-request.ts';
import { explainDerived, extensionOf, possibleVariations, variationOf } from '../../submissions/derive.ts';
import { type Extension, readDerivation, type Variation } from '../../submissions/derive-body.ts';
import { identityOf } from '../../submissions/identity.ts';
import type { DerivedRequest } from '../../submissions/uploads.ts';
import type { VideoRecord } from '../../video/record.ts';
import { viewOf } from '../../video/view.ts';
import type { Price } from '../../wan/prices.ts';
import type { VideoRequest } from '../../wan/validation/request.ts';
import { type ApiRequest, headerValues, json } from '../http/request.ts';
import { respondAccepted, type SubmitServices } from './create.ts';
import { retryAfter } from './long-poll.ts';
import { ownVideo } from './own-video.ts';

export interface DeriveServices extends SubmitServices {
  /** How long a task takes by the deployment's settings, in seconds. */
  configuredSeconds?: ConfiguredSeconds;
}

/** What a derived video would cost, with the warnings that it would have. */
export interface Estimate extends Pick<VideoRecord, 'warnings'> {
  model: string;
  parameters: VideoRequest['parameters'];
  /** Null if no price is known. */
  estimated_cost: Price | null;
  estimated_seconds: number;
}

/**
 * `POST /videos/{id}/extend`: a video that begins with the archived one and continues it. Responds as `POST /videos`; with `dry_run` with
 * an estimate. A repeated request returns the existing video, also after its source was deleted.
 * @throws ProblemError as `acceptRequest`, 404, 409 for a source without a file, 410 for one whose file is gone
 */
export async function extend(
  services: DeriveServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const arrived = services.table.now();
  const body = readJson(request, 'a JSON object with "prompt" and "seconds_to_add"');
  const wanted = readDerivation(body, 'extension');
  const rules = { deployment: services.deployment, now: arrived };
  const derive = (source: VideoRecord) => extensionOf(source, wanted, rules);
  const derived = derivedSubmission({ services, request, caller }, { relation: 'extends', body, wanted, derive });
  if (wanted.dry_run) return derived.estimate();
  const accepted = await derived.accept();
  return respondAccepted(services, request, accepted, arrived);
}

/**
 * `POST /videos/{id}/variations`: up to four videos of the same inputs with other settings. 202 with a list of them, or 200 for a repeated
 * request; with `dry_run` an estimate of one. The spending limit is checked for all before the first is created.
 * @throws ProblemError as `acceptRequest`, 404, 409 for a source whose request is incomplete, 410 for one whose inputs are gone
 */
export async function vary(
  services: DeriveServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const body = readJson(request, 'a JSON object, {} for the same settings');
  const wanted = readDerivation(body, 'variation');
  const { n = 1 } = wanted;
  const derive = (source: VideoRecord, index: number) =>
    variationOf(source, wanted, index, services.deployment.changes);
  const derived = derivedSubmission({ services, request, caller }, { relation: 'varies', body, wanted, derive });
  if (wanted.dry_run) return derived.estimate();
  const first = await derived.accept(0, n);
  const others = Array.from({ length: n - 1 }, (_, index) => derived.accept(index + 1, 0));
  const accepted = [first, ...(await Promise.all(others))];
  const now = services.table.now();
  const data = await Promise.all(
    accepted.map(async ({ video }) => viewOf(video, now, await services.readQueuePosition(video))),
  );
  const status = accepted.some(({ created }) => created) ? 202 : 200;
  return json(status, { data }, retryAfter(data[0]!, now));
}

/** What a derived video is asked for with. */
interface Wanted {
  /** Distinguishes the fingerprints of extensions, variations and other requests. */
  relation: 'extends' | 'varies';
  body: unknown;
  wanted: Extension | Variation;
  derive: (source: VideoRecord, index: number) => DerivedRequest;
}

/**
 * A derived video as an ordinary request. Its fingerprint is that of the body and the source's id (invariant 2), and its source is read
 * only if there is no video yet.
 */
function derivedSubmission(
  { services, request, caller }: { services: DeriveServices; request: ApiRequest; caller: Caller },
  { relation, body, wanted, derive }: Wanted,
) {
  const { dry_run: _, ...sent } = isJsonObject(body) ? body : {};
  const keys = headerValues(request, 'idempotency-key');
  let instead = '';
  const submissionOf = (index: number, copies: number): Submission => ({
    body: { ...sent, [relation]: request.pathParameters?.id },
    mode: 'strict',
    identity: identityOf(caller.owner, keys, index),
    caller,
    request_id: request.requestContext.requestId,
    copies,
    derive: async () => {
      const source = await ownVideo(services.table, request, caller);
      instead = possibleVariations(source.input, services.deployment);
      return derive(source, index);
    },
  });
  const explained = async <Result>(result: Promise<Result>): Promise<Result> => {
    try {
      return await result;
    } catch (error) {
      throw explainDerived(error, wanted, instead);
    }
  };
  return {
    /** @param copies how many videos must fit into the spending limit */
    async accept(index = 0, copies = 1) {
      const accepted = await explained(acceptRequest(services, submissionOf(index, copies)));
      services.onAccepted(accepted);
      return accepted;
    },
    async estimate() {
      const { request: checked, price, warnings } = await explained(checkOnly(services, submissionOf(0, 0)));
      const { model, parameters } = checked;
      const found: Estimate = {
        model,
        parameters,
        estimated_cost: price ?? null,
        estimated_seconds: typicalSeconds(checked, services.configuredSeconds),
        warnings,
      };
      return json(200, found);
    },
  };
}
