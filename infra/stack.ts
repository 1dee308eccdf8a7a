import { CfnOutput, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Api } from './api/api.ts';
import type { Configuration } from './config.ts';
import { Canary } from './functions/canary.ts';
import { Drops } from './functions/drops.ts';
import { type Foundation, stateMachineAddress } from './functions/foundation.ts';
import { pinLogicalId } from './functions/logical-id.ts';
import { Maintenance } from './functions/maintenance.ts';
import { PipelineFunction } from './functions/pipeline-function.ts';
import { fileLinkKey, wanApiKey, webhookKey } from './functions/secret.ts';
import { Webhooks } from './functions/webhooks.ts';
import type { MonitoredConstructs } from './observability/alarm-definitions.ts';
import { Alarms } from './observability/alarms.ts';
import { Dashboard } from './observability/dashboard.ts';
import { deploymentMetrics } from './observability/metrics.ts';
import { Notifications } from './observability/notifications.ts';
import { Storage } from './storage/storage.ts';
import type { FunctionBundle } from './synth/bundle.ts';
import { Workflow } from './workflow/workflow.ts';

export interface FirstframeStackProps {
  readonly configuration: Configuration;
  readonly bundles: ReadonlyMap<string, FunctionBundle>;
}

/** One deployment of firstframe. Read this first, then the construct of interest. */
export class FirstframeStack extends Stack {
  constructor(scope: Construct, id: string, { configuration, bundles }: FirstframeStackProps) {
    super(scope, id, {
      stackName: configuration.stackName,
      description: 'firstframe: turns an image and a prompt into a video that its user owns',
    });
    // Unlike RETAIN, a failed first deployment deletes the resources again that it created.
    const removalPolicy =
      configuration.removalPolicy === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
    const { kmsKeyArn } = configuration;
    const key = kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', kmsKeyArn);
    const base: Omit<Foundation, 'webhookQueue'> = {
      configuration,
      key,
      functions: { bundles, logRetention: configuration.logRetentionDays },
      storage: new Storage(this, 'Storage', { removalPolicy, key, configuration }),
      eventBus: eventBus(this, configuration.stackName),
      wanSecret: wanApiKey(this, removalPolicy, key),
      fileLinkSecret: fileLinkKey(this, key),
      webhookSecret: webhookKey(this, removalPolicy, key),
      stateMachine: stateMachineAddress(this),
    };
    const webhooks = new Webhooks(this, 'Webhooks', base);
    const foundation: Foundation = { ...base, webhookQueue: webhooks.queue };
    const { restApi, domain, functions: api } = new Api(this, 'Api', foundation);
    const { stateMachine } = new Workflow(this, 'Workflow', foundation);
    const drops = new Drops(this, 'Drops', foundation);
    const maintenance = new Maintenance(this, 'Maintenance', foundation, drops.waiting);
    const canary = new Canary(this, 'Canary', foundation);

    const metrics = deploymentMetrics(configuration.stackName);
    const monitored: MonitoredConstructs = {
      metrics,
      restApi,
      api,
      stateMachine,
      drops,
      maintenance,
      webhooks,
      canary,
    };
    const { topic } = new Notifications(this, 'Notifications', { email: configuration.alarmEmail, key });
    const { alarms } = new Alarms(this, 'Alarms', { ...monitored, topic });
    const functions = this.node.findAll().filter((part) => part instanceof PipelineFunction);
    const dashboard = configuration.dashboard
      ? new Dashboard(this, 'Dashboard', { ...monitored, alarms, functions }).dashboard
      : undefined;
    this.applyToAll(configuration);

    const outputs = {
      ApiUrl: restApi.url,
      ...(domain
        ? { DomainUrl: domain.url, DomainTarget: domain.target, DomainHostedZoneId: domain.hostedZoneId }
        : {}),
      UploadsBucketName: foundation.storage.uploads.bucketName,
      VideosBucketName: foundation.storage.videos.bucketName,
      TableName: foundation.storage.table.tableName,
      WanSecretArn: foundation.wanSecret.secretArn,
      WebhookSecretArn: foundation.webhookSecret.secretArn,
      EventBusName: foundation.eventBus.eventBusName,
      StateMachineArn: stateMachine.stateMachineArn,
      AlarmTopicArn: topic.topicArn,
      ...(dashboard ? { DashboardName: dashboard.dashboardName } : {}),
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }

  /** Applies the settings that concern every resource of a kind. */
  private applyToAll({ tags = {}, permissionsBoundary, kmsKeyArn }: Configuration): void {
    for (const [name, value] of Object.entries(tags)) Tags.of(this).add(name, value);
    if (permissionsBoundary !== undefined) {
      const policy = ManagedPolicy.fromManagedPolicyArn(this, 'PermissionsBoundary', permissionsBoundary);
      PermissionsBoundary.of(this).apply(policy);
    }
    if (kmsKeyArn === undefined) return;
    for (const part of this.node.findAll()) if (part instanceof CfnLogGroup) part.kmsKeyId = kmsKeyArn;
  }
}

/** The bus of status changes. The default bus has the events of AWS services, and those of other programs of the account. */
function eventBus(scope: Construct, stackName: string): EventBus {
  const bus = new EventBus(scope, 'EventBus', { eventBusName: `${stackName}-videos` });
  pinLogicalId(bus, 'EventBus');
  return bus;
}
