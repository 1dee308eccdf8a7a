import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from '../functions/acknowledge.ts';
import {
  copyToDropAccess,
  dispatchAccess,
  type Foundation,
  queryRate,
  requestSettings,
  resultWriterAccess,
  spendingLimit,
  taskSeconds,
} from '../functions/foundation.ts';
import {
  listAccess,
  mergeAccess,
  settings,
  tableAccess,
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

/** Longer than the 24 hours in which Wan keeps a task: a run that lasts 30 hours is dead, and the sweep hears of it. */
const patience = Duration.hours(30);

/** The state machine that takes one video from its permit to its archived file, and its four functions. */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly watcher: PipelineFunction<'watch'>;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const logs = new LogGroup(this, 'Logs', {
      retention: foundation.functions.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.watcher = watcher(this, foundation);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: foundation.stateMachine.name,
      comment: 'One run of one video: its task at Wan, the wait for it, the archived file',
      definitionBody: DefinitionBody.fromChainable(
        workflowDefinition(this, {
          table: foundation.storage.table,
          ...stepFunctions(this, foundation, this.watcher),
        }),
      ),
      timeout: patience,
      tracingEnabled: true,
      // Every event, but none of its data: an error's message is all the text that gets there.
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
    });
    this.stateMachine.addToRolePolicy(waitItemsStatement(foundation.storage.table));
    pinLogicalId(this.stateMachine, 'StateMachine');
    acknowledgeWildcard(
      this.stateMachine.role,
      '*',
      'Step Functions sets up log delivery, and sends traces to X-Ray, by actions that take no resource.',
    );
  }
}

/** The functions that the state machine calls. */
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
      // A call, for which the client waits 75 s since Wan fetches and checks the image within it; and when Wan could not fetch it, an
      // upload (10 s + 60 s) and a second call, each after a wait of about a second for its slot.
      timeout: Duration.minutes(4),
      // An image that goes through Wan's upload is held in memory: at most 20 MB.
      memory: 512,
    }),
    checkTask: new PipelineFunction(scope, 'check-task', {
      ...functions,
      description: "Asks Wan once how a video's task stands",
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
        wanAccess(wanSecret, configuration.wanBaseUrl),
        queryRate(configuration),
        taskSeconds(configuration),
        resultWriterAccess(foundation),
      ),
      timeout: Duration.seconds(60),
    }),
    archiveVideo: new PipelineFunction(scope, 'archive-video', {
      ...functions,
      description: 'Copies a finished video into the videos bucket and proves that it arrived whole',
      access: mergeAccess(
        tableAccess(storage.table, ['GetItem', 'UpdateItem']),
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
      ),
      // As long as a Lambda may run: a slow line to Wan's storage is better than starting over.
      timeout: Duration.minutes(15),
      // A streamed copy holds 145–182 MB whatever the video's size; the rest buys bandwidth and processor for the checksum.
      memory: 512,
    }),
    recordFailure: new PipelineFunction(scope, 'record-failure', {
      ...functions,
      description: 'Writes why a video failed to its record',
      access: mergeAccess(dispatchAccess(foundation, ['GetItem', 'UpdateItem']), resultWriterAccess(foundation)),
      timeout: Duration.seconds(30),
    }),
  };
}
