import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError } from '../shared/logging.ts';
import { apiHandler } from './api-handler.ts';
import { type EstimateServices, estimate } from './estimates.ts';
import { listModels } from './models.ts';

const environment = readEnvironment('catalogue');
const logger = createLogger('catalogue');

const services: EstimateServices = {
  trustedOrigins: environment.TRUSTED_ORIGINS,
  uploadsBucket: environment.UPLOADS_BUCKET,
  wanRegion: environment.WAN_REGION,
};

export const handler = apiHandler(
  async (request, caller) => {
    switch (request.resource) {
      case '/models':
        return listModels(services, request);
      case '/estimates':
        return estimate(services, request, caller);
      default:
        throw new Error(`The route ${request.resource} leads here but is not known here.`);
    }
  },
  (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
);
