// Runs in a Lambda worker thread: loads the deployed bundle once, then runs one invocation at a time. CommonJS without
// dependencies, so that a worker starts in milliseconds and contains only the function's code.
const { parentPort, workerData } = require('node:worker_threads');
const path = require('node:path');

/** @param {Record<string, unknown>} message */
const post = (message) => parentPort.postMessage(message);

// Logs use the same port as the results, so a line cannot arrive after the result of its invocation.
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, encoding, callback) => {
    post({ type: 'log', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8') });
    const done = typeof encoding === 'function' ? encoding : callback;
    done?.();
    return true;
  };
}

/** Describes an error as Lambda does. The state machine matches `errorType`. */
function describeError(error, fallbackType) {
  if (!(error instanceof Error))
    return { errorType: fallbackType ?? typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: fallbackType ?? error.name ?? 'Error',
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  };
}

function loadHandler() {
  const [file, exportName] = [path.parse(workerData.handler).name, path.parse(workerData.handler).ext.slice(1)];
  const modulePath = path.join(workerData.code_directory, path.dirname(workerData.handler), file);
  let loaded;
  try {
    loaded = require(modulePath);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    throw describeError(
      error,
      missing ? 'Runtime.ImportModuleError' : error instanceof SyntaxError ? 'Runtime.UserCodeSyntaxError' : undefined,
    );
  }
  const handler = loaded[exportName];
  if (typeof handler !== 'function')
    throw describeError(new Error(`${workerData.handler} is undefined or not exported`), 'Runtime.HandlerNotFound');
  if (handler.length > 2)
    throw describeError(
      new Error('Callback handlers are not supported. The handler must return a promise.'),
      'Runtime.CallbackHandlerDeprecated',
    );
  return handler;
}

function contextOf({ request_id, function_arn, deadline }) {
  return {
    awsRequestId: request_id,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: function_arn,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** Lambda ends the sandbox on an uncaught error. */
function endSandbox(error, type) {
  console.error(error);
  post({ type: 'failure', fatal: true, error: describeError(error, type) });
  process.exit(1);
}
process.on('uncaughtException', (error) => endSandbox(error));
process.on('unhandledRejection', (error) => endSandbox(error, 'Runtime.UnhandledPromiseRejection'));

let handler;
try {
  handler = loadHandler();
  post({ type: 'ready' });
} catch (error) {
  post({ type: 'failure', fatal: true, error });
}

parentPort.on('message', async (invocation) => {
  let result;
  try {
    result = await handler(JSON.parse(invocation.payload), contextOf(invocation));
  } catch (error) {
    console.error(error);
    post({ type: 'failure', error: describeError(error) });
    return;
  }
  try {
    post({ type: 'result', payload: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    post({ type: 'failure', error: describeError(error, 'Runtime.MarshalError') });
  }
});
