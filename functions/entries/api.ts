import type { APIGatewayProxyResult } from 'aws-lambda';
import {
  type AuthorizerRequest,
  type AuthorizeServices,
  authorize,
  callerOfKey,
  Unauthorized,
} from '../api/auth/authorize.ts';
import { callerOfToken, remoteKeys } from '../api/auth/jwt.ts';
import { respondsWithin } from '../api/dashscope/cancel-task-route.ts';
import { dashscopeHandler } from '../api/dashscope/handler.ts';
import type { DashscopeServices } from '../api/dashscope/services.ts';
import { unlessNotModified } from '../api/http/conditional-requests.ts';
import { withCors } from '../api/http/cors.ts';
import { byRoute, logContext } from '../api/http/handler.ts';
import { answerOtherMethod } from '../api/http/methods.ts';
import type { ApiRequest } from '../api/http/request.ts';
import { consolePage, consoleSettings } from '../api/pages/console.ts';
import { contractResponse, docsPage } from '../api/pages/docs.ts';
import { cancel, cancelVideo } from '../api/videos/cancel.ts';
import { type ContentServices, getContent, linkToObject, objectExists } from '../api/videos/content.ts';
import { submit } from '../api/videos/create.ts';
import { createUpload } from '../api/videos/create-upload.ts';
import { type DeleteServices, deleteVideo } from '../api/videos/delete.ts';
import { extend, vary } from '../api/videos/derive.ts';
import { estimate } from '../api/videos/estimates.ts';
import { getVideo, type VideoServices } from '../api/videos/get.ts';
import { health } from '../api/videos/health.ts';
import { listOwnVideos } from '../api/videos/list.ts';
import { getModelSchema, listModels } from '../api/videos/models.ts';
import { type RetryServices, retry } from '../api/videos/retry.ts';
import { getUsage, type UsageServices } from '../api/videos/usage.ts';
import { createVideoDispatch } from '../queue/dispatch.ts';
import { readSlowdown } from '../queue/submit-rate.ts';
import type { Environment } from '../shared/environment.ts';
import { describeError, inContext } from '../shared/logging.ts';
import { secretReader } from '../shared/secret.ts';
import { acceptRequest } from '../submissions/accept-request.ts';
import type { Deployment } from '../wan/prices.ts';
import { eventPublisher, openTableWithEndings, openTableWithEvents } from './on-status-changed.ts';
import type { Platform } from './platform.ts';
import {
  createAcceptServices,
  createApiHandler,
  createDispatcher,
  createQueuePositions,
  deploymentOf,
  deploymentReader,
  logFailureTo,
  onAccepted,
  onDispatchError,
  openTable,
  requestLimiterOf,
  wanOf,
} from './services.ts';

export function composeAuthorize(environment: Environment<'authorize'>, platform: Platform<'dynamoDb'>) {
  const { logger, fetch, clock } = platform;
  const { AUTH: rules, TRUSTED_ORIGINS: trustedOrigins } = environment;
  const table = openTable(environment, platform);

  function credentialReader(): AuthorizeServices['callerOf'] {
    switch (rules.mode) {
      case 'api-key':
        return callerOfKey(table);
      case 'jwt': {
        const keys = remoteKeys(rules.jwks_url, { trustedOrigins, fetch });
        return (token) => callerOfToken({ keys, now: clock.now }, rules, token);
      }
      case 'iam':
        // API Gateway checks signatures itself and calls this function only for upload tokens.
        return async () => undefined;
    }
  }

  const services: AuthorizeServices = { table, callerOf: credentialReader() };
  return inContext(logger, async (request: AuthorizerRequest) => {
    try {
      return await authorize(services, request);
    } catch (error) {
      if (!(error instanceof Unauthorized)) logger.error('Authorizer failed', describeError(error));
      throw error;
    }
  });
}

export function composeHealth(environment: Environment<'health'>, platform: Platform<'dynamoDb'>) {
  const { logger } = platform;
  const table = openTable(environment, platform);
  const check = (_request: ApiRequest) =>
    health(table, (error) => logger.error('Could not read the table', describeError(error)));
  return inContext(logger, withCors(environment.CORS, check));
}

export function composeCatalogue(environment: Environment<'catalogue'>, platform: Platform<'dynamoDb'>) {
  const table = openTable(environment, platform);
  const readDeployment = deploymentReader(environment, table);
  const services = {
    readSlowdown: (model: string) => readSlowdown(table, model),
    trustedOrigins: environment.TRUSTED_ORIGINS,
    rotatedImages: environment.ROTATED_IMAGES,
    loopbackWebhooks: environment.LOOPBACK_WEBHOOKS,
    uploadsBucket: environment.UPLOADS_BUCKET,
    typicalSeconds: environment.TYPICAL_SECONDS,
  };
  const routes = { '/models': listModels, '/models/{name}/schema': getModelSchema, '/estimates': estimate };
  return createApiHandler(environment, platform, table, async (request, caller) =>
    byRoute({ ...services, deployment: await readDeployment() }, routes)(request, caller),
  );
}

export function composeUploads(environment: Environment<'uploads'>, platform: Platform<'dynamoDb' | 's3'>) {
  const { s3, clock } = platform;
  const table = openTable(environment, platform);
  const services = { s3, uploadsBucket: environment.UPLOADS_BUCKET, now: clock.now };
  return createApiHandler(environment, platform, table, (request, caller) => createUpload(services, request, caller));
}

export function composeSubmit(
  environment: Environment<'submit'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'recordMetric'>,
) {
  const { logger, clock } = platform;
  const table = openTableWithEvents(environment, platform);
  const services = {
    ...createAcceptServices(environment, platform, createDispatcher(environment, platform, table)),
    onAccepted: onAccepted(logger),
    readQueuePosition: createQueuePositions(environment, platform, table),
    sleep: clock.sleep,
    longPolls: environment.LONG_POLLS,
  };
  const readDeployment = deploymentReader(environment, table);
  const routes = { '/videos': submit, '/videos/{id}/extend': extend, '/videos/{id}/variations': vary };
  return createApiHandler(environment, platform, table, async (request, caller) => {
    const deployment = await readDeployment();
    const configuredSeconds = environment.TYPICAL_SECONDS ?? deployment.changes;
    return byRoute({ ...services, deployment, configuredSeconds }, routes)(request, caller);
  });
}

export function composeVideos(environment: Environment<'videos'>, platform: Platform<'dynamoDb' | 's3'>) {
  const { s3, clock } = platform;
  const table = openTable(environment, platform);
  const services: VideoServices & ContentServices & UsageServices = {
    table,
    readQueuePosition: createQueuePositions(environment, platform, table),
    sleep: clock.sleep,
    longPolls: environment.LONG_POLLS,
    linkTo: (object, file, method) => linkToObject(s3, object, file, method),
    exists: (object) => objectExists(s3, object),
    wanRegion: environment.WAN_REGION,
    monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
  };
  const routes = {
    '/videos': listOwnVideos,
    '/videos/{id}': getVideo,
    '/videos/{id}/content': getContent,
    '/usage': getUsage,
  };
  return createApiHandler(environment, platform, table, byRoute(services, routes));
}

export function composeActions(
  environment: Environment<'actions'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'secrets' | 'recordMetric'>,
) {
  const { s3, logger } = platform;
  const table = openTableWithEndings(environment, platform);
  const dispatcher = createDispatcher(environment, platform, table);
  const services: RetryServices & DeleteServices = {
    ...dispatcher,
    wan: wanOf(environment, platform),
    s3,
    publish: eventPublisher(table, environment, platform),
    videosBucket: environment.VIDEOS_BUCKET,
    uploadsBucket: environment.UPLOADS_BUCKET,
    monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
    readQueuePosition: createQueuePositions(environment, platform, table),
    dispatch: createVideoDispatch(dispatcher),
    onDispatchError: onDispatchError(logger),
  };
  // DELETE /videos/{id}; another function handles GET.
  const routes = { '/videos/{id}/cancel': cancel, '/videos/{id}/retry': retry, '/videos/{id}': deleteVideo };
  return createApiHandler(environment, platform, table, byRoute(services, routes));
}

/** The routes of Wan's own API, for DashScope clients. */
export function composeDashscope(
  environment: Environment<'dashscope'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'secrets' | 'recordMetric'>,
) {
  const { s3, secrets, logger, clock } = platform;
  const table = openTableWithEndings(environment, platform);
  const dispatcher = createDispatcher(environment, platform, table);
  const acceptServices = createAcceptServices(environment, platform, dispatcher);
  const accepted = onAccepted(logger);
  const wan = wanOf(environment, platform);
  const readDeployment = deploymentReader(environment, table);
  const servicesOf = (deployment: Deployment): DashscopeServices => ({
    table,
    admitRequest: requestLimiterOf(environment, platform, table),
    longPolls: environment.LONG_POLLS,
    s3,
    deployment,
    uploads_bucket: environment.UPLOADS_BUCKET,
    acceptRequest: async (request) => {
      const result = await acceptRequest({ ...acceptServices, deployment }, { ...request, mode: 'tolerant' });
      accepted(result);
      return result;
    },
    cancelVideo: (video, milliseconds) => cancelVideo({ ...dispatcher, wan: respondsWithin(milliseconds, wan) }, video),
    linkTo: (object, file, method) => linkToObject(s3, object, file, method),
    fileKey: secretReader(secrets, environment.FILE_LINK_SECRET_ARN, clock.now),
    sleep: clock.sleep,
  });
  const handle = async (event: Parameters<ReturnType<typeof dashscopeHandler>>[0]) =>
    dashscopeHandler(servicesOf(await readDeployment()), logFailureTo(logger))(event);
  return inContext(logger, withCors(environment.CORS, handle), logContext);
}

/** The web console. @param parts the bundled assets of its page */
export function composeConsole(environment: Environment<'console'>, parts: Parameters<typeof consolePage>[0]) {
  const page = consolePage(parts, consoleSettings(deploymentOf(environment)), environment.TRUSTED_ORIGINS);
  return async (request: ApiRequest) => unlessNotModified(request, page);
}

/**
 * The OpenAPI document and its page. It also answers OPTIONS and the methods that a route does not have.
 * @param parts the document and the bundled assets of the page
 */
export function composeContract(environment: Environment<'contract'>, parts: Parameters<typeof docsPage>[0]) {
  const pages = new Map([
    ['/docs', docsPage(parts)],
    ['/openapi.json', contractResponse(parts.contract)],
  ]);
  return withCors(environment.CORS, async (request: ApiRequest): Promise<APIGatewayProxyResult> => {
    const page = ['GET', 'HEAD'].includes(request.httpMethod) ? pages.get(request.resource) : undefined;
    return page ? unlessNotModified(request, page) : answerOtherMethod(environment.ROUTE_METHODS, request);
  });
}
