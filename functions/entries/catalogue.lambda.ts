import { aboutRequest, apiHandler, byRoute } from '../api/http/handler.ts';
import { type EstimateServices, estimate } from '../api/videos/estimates.ts';
import { listModels } from '../api/videos/models.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';

const environment = readEnvironment('catalogue');
const logger = createLogger('catalogue');

const services: EstimateServices = {
  trustedOrigins: environment.TRUSTED_ORIGINS,
  uploadsBucket: environment.UPLOADS_BUCKET,
  wanRegion: environment.WAN_REGION,
  typicalSeconds: environment.TYPICAL_SECONDS,
};

export const handler = inContext(
  logger,
  apiHandler(byRoute(services, { '/models': listModels, '/estimates': estimate }), (error, request_id) =>
    logger.error('A request failed.', { ...describeError(error), request_id }),
  ),
  aboutRequest,
);
