import { Aws, Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcard, justifyLogKey } from '../functions/acknowledge.ts';
import {
  copyToDropAccess,
  dispatchAccess,
  type Foundation,
  queryRate,
  requestSettings,
  resultWriterAccess,
  spendingLimit,
  taskSeconds,
  videoRetention,
} from '../functions/foundation.ts';
import {
  eventAccess,
  listAccess,
  mergeAccess,
  settings,
  tableAccess,
  tableKeyStatements,
  uploadsAccess,
  versionsAccess,
  videosAccess,
  wanAccess,
  watcherAccess,
} from '../functions/grants.ts';
import { pinLogicalId } from '../functions/logical-id.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { waitItemsStatement } from './wait-for-end.ts';
import { watcher } from './watcher.ts';
import { workflowDefinition } from './workflow-definition.ts';

/** Longer than the 24 hours for which Wan keeps a task. A run of 30 hours is dead, and the sweep is notified. */
const executionTimeout = Duration.hours(30);

/** The state machine that brings a video from its permit to its archived file, with its four functions and the watcher. */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly watcher: PipelineFunction<'watch'>;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const logs = new LogGroup(this, 'Logs', {
      logGroupName: vendedLogGroupName(foundation.stateMachine.name),
      retention: foundation.functions.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    justifyLogKey(logs);
    this.watcher = watcher(this, foundation);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: foundation.stateMachine.name,
      comment: 'One run of one video: create its task at Wan, wait for its end, archive the file',
      definitionBody: DefinitionBody.fromChainable(
        workflowDefinition(this, {
          table: foundation.storage.table,
          ...stepFunctions(this, foundation, this.watcher),
        }),
      ),
      timeout: executionTimeout,
      tracingEnabled: true,
      // Logs every event without its data. Messages of errors are the only free text in it.
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
    });
    const { table } = foundation.storage;
    for (const statement of [waitItemsStatement(table), ...tableKeyStatements(table)])
      this.stateMachine.addToRolePolicy(statement);
    pinLogicalId(this.stateMachine, 'StateMachine');
    acknowledgeWildcard(
      this.stateMachine.role,
      '*',
      'The actions with which Step Functions sets up log delivery and sends traces to X-Ray take no resource.',
    );
  }
}

/**
 * Returns the name of a state machine's log group. Step Functions adds log groups with another prefix to the resource policy
 * of the account's logs, which is limited to 5,120 characters and keeps the entries of deleted groups. The id of the stack
 * makes the name unique.
 */
const vendedLogGroupName = (stateMachineName: string): string =>
  `/aws/vendedlogs/states/${stateMachineName}-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`;

/** Creates the functions that the state machine invokes. */
function stepFunctions(scope: Construct, foundation: Foundation, watcher: PipelineFunction<'watch'>) {
  const { configuration, functions, storage, wanSecret } = foundation;
  return {
    createTask: new PipelineFunction(scope, 'create-task', {
      ...functions,
      description: 'Creates the one task of a video at Wan',
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
        uploadsAccess(storage.uploads, ['drop/', 'inputs/'], ['GetObject', 'GetObjectVersion']),
        listAccess(storage.uploads),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        queryRate(configuration),
        watcherAccess(watcher.live),
        settings({
          WAN_REGION: configuration.region,
          IMAGE_TRANSFER: configuration.imageTransfer,
          UNCERTAIN_SECONDS: String(configuration.uncertainSeconds),
        }),
        taskSeconds(configuration),
        spendingLimit(configuration),
      ),
      // A call has a timeout of 75 s, since Wan fetches and checks the image during it. If Wan cannot fetch it, an upload (10 s +
      // 60 s) and a second call follow. Each waits about a second for its slot of the rate limiter.
      timeout: Duration.minutes(4),
      // An image for Wan's upload is buffered in memory: at most 20 MB.
      memory: 512,
    }),
    checkTask: new PipelineFunction(scope, 'check-task', {
      ...functions,
      description: "Queries the status of a video's task once",
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        queryRate(configuration),
        taskSeconds(configuration),
        resultWriterAccess(foundation),
        videoRetention(configuration),
      ),
      timeout: Duration.seconds(60),
    }),
    archiveVideo: new PipelineFunction(scope, 'archive-video', {
      ...functions,
      description: 'Copies a finished video to the videos bucket and verifies that it is complete',
      access: mergeAccess(
        tableAccess(storage.table, ['GetItem', 'UpdateItem']),
        eventAccess(foundation.eventBus),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        queryRate(configuration),
        videosAccess(storage.videos, [
          'GetObject',
          'GetObjectVersion',
          'PutObject',
          'DeleteObject',
          'DeleteObjectVersion',
        ]),
        listAccess(storage.videos),
        versionsAccess(storage.videos),
        requestSettings(configuration),
        settings({ VIDEO_HOSTS: JSON.stringify(configuration.videoHosts) }),
        resultWriterAccess(foundation),
        copyToDropAccess(configuration),
        videoRetention(configuration),
      ),
      // The maximum of Lambda: a slow download from Wan's storage is better than a restart.
      timeout: Duration.minutes(15),
      // A streamed copy takes 145–182 MB for any size of video. The rest provides bandwidth, and CPU for the checksum.
      memory: 512,
    }),
    recordFailure: new PipelineFunction(scope, 'record-failure', {
      ...functions,
      description: 'Writes the reason of a failure to the record of a video',
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
        resultWriterAccess(foundation),
        videoRetention(configuration),
      ),
      timeout: Duration.seconds(30),
    }),
  };
}
