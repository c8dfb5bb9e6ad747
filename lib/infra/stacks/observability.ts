// What is watched: alarms for what somebody has to act on, a dashboard for everything else.
import { Duration, Stack, type StackProps } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'
import type { ApiStack } from './api.ts'
import type { DataStack } from './data.ts'
import type { EventsStack } from './events.ts'
import type { IngestStack } from './ingest.ts'
import type { WorkersStack } from './workers.ts'

export interface ObservabilityProps extends StackProps {
  data: DataStack
  api: ApiStack | undefined
  ingest: IngestStack | undefined
  events: EventsStack
  workers: WorkersStack
}

interface Watch {
  metric: IMetric
  threshold: number
  /** Of five minutes each. */
  periods?: number
  /** Nothing measured is what it warns of; otherwise nothing measured is nothing wrong. */
  silenceIsWrong?: boolean
  /** What it means and which section of the runbook helps. */
  meaning: string
}

export class ObservabilityStack extends Stack {
  readonly topic: Topic

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: ObservabilityProps) {
    super(scope, id, props)
    this.topic = new Topic(this, 'Alarms', { enforceSSL: true })
    if (cloud.alarmEmail) this.topic.addSubscription(new EmailSubscription(cloud.alarmEmail))
    for (const [name, watch] of Object.entries(watches(props))) this.alarm(name, watch)
    this.dashboard(cloud, props)
  }

  private alarm(
    name: string,
    { metric, threshold, periods = 1, silenceIsWrong = false, meaning }: Watch,
  ): void {
    const alarm = new Alarm(this, name, {
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: silenceIsWrong ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      alarmDescription: `${meaning} Runbook: docs/operations/runbook.md#${name.toLowerCase()}`,
    })
    alarm.addAlarmAction(new SnsAction(this.topic))
    alarm.addOkAction(new SnsAction(this.topic))
  }

  private dashboard(cloud: CloudConfig, { data, api, ingest, workers }: ObservabilityProps): void {
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: cloud.name })
    const graph = (title: string, ...left: IMetric[]) => new GraphWidget({ title, left, width: 8 })
    if (api) {
      const { registry, token } = api.functions
      dashboard.addWidgets(
        graph('Requests', api.api.metricCount(), api.api.metricClientError(), api.api.metricServerError()),
        graph(
          'Latency',
          api.api.metricLatency({ statistic: 'p50' }),
          api.api.metricLatency({ statistic: 'p99' }),
        ),
        graph(
          'Functions at once',
          registry.metric('ConcurrentExecutions', { statistic: 'max' }),
          token.metricThrottles(),
        ),
      )
    }
    dashboard.addWidgets(
      graph(
        'Table',
        data.table.metricConsumedReadCapacityUnits(),
        data.table.metricConsumedWriteCapacityUnits(),
      ),
      graph(
        'Jobs',
        workers.queue.metricApproximateNumberOfMessagesVisible(),
        workers.queue.metricApproximateAgeOfOldestMessage(),
      ),
      ...(ingest
        ? [graph('Ingest', ingest.service.metricCpuUtilization(), ingest.service.metricMemoryUtilization())]
        : []),
    )
  }
}

const FIVE_MINUTES = { period: Duration.minutes(5) }

function watches({ data, api, events, ingest, workers }: ObservabilityProps): Record<string, Watch> {
  const found: Record<string, Watch> = {
    DeadJobs: {
      metric: workers.deadLetters.metricApproximateNumberOfMessagesVisible(FIVE_MINUTES),
      threshold: 1,
      meaning: 'Jobs failed for good and wait in the dead-letter queue.',
    },
    OldJobs: {
      metric: workers.queue.metricApproximateAgeOfOldestMessage(FIVE_MINUTES),
      threshold: 3600,
      meaning: 'A job has waited for an hour: no worker takes it.',
    },
    LateEvents: {
      metric: events.relay.metric('IteratorAge', { ...FIVE_MINUTES, statistic: 'max' }),
      threshold: 600_000,
      meaning: 'Events are ten minutes late: usage, webhooks and replication lag.',
    },
    LostEvents: {
      metric: events.failures.metricApproximateNumberOfMessagesVisible(FIVE_MINUTES),
      threshold: 1,
      meaning: 'Events could not be handled and wait in a queue.',
    },
    ThrottledTable: {
      metric: throttledRequests(data),
      threshold: 10,
      periods: 3,
      meaning: 'DynamoDB throttles: pushes and pulls are slow or answered 503.',
    },
  }
  if (api) {
    found.ServerErrors = {
      metric: api.api.metricServerError({ ...FIVE_MINUTES, statistic: 'sum' }),
      threshold: 5,
      meaning: 'The API answers with 5xx.',
    }
    found.Throttles = {
      metric: new MathExpression({
        expression: 'a + b + c',
        usingMetrics: {
          a: api.functions.registry.metricThrottles(FIVE_MINUTES),
          b: api.functions.token.metricThrottles(FIVE_MINUTES),
          c: api.functions.management.metricThrottles(FIVE_MINUTES),
        },
        label: 'throttled invocations',
        ...FIVE_MINUTES,
      }),
      threshold: 1,
      meaning: 'The account’s concurrency is used up.',
    }
  }
  if (ingest) {
    found.NoIngest = {
      metric: ingest.targets.metrics.unhealthyHostCount(FIVE_MINUTES),
      threshold: 1,
      periods: 3,
      // Counted while there is a task to count.
      silenceIsWrong: true,
      meaning: 'Tasks that take streams are not healthy, or there is none: docker 28 and podman cannot push.',
    }
    found.IngestErrors = {
      metric: ingest.targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, FIVE_MINUTES),
      threshold: 5,
      meaning: 'Ingest answers with 5xx.',
    }
  }
  return found
}

function throttledRequests({ table }: DataStack): IMetric {
  const metric = (metricName: string) =>
    new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: { TableName: table.tableName },
      statistic: 'sum',
      ...FIVE_MINUTES,
    })
  return new MathExpression({
    expression: 'r + w',
    usingMetrics: { r: metric('ReadThrottleEvents'), w: metric('WriteThrottleEvents') },
    label: 'throttled requests',
    ...FIVE_MINUTES,
  })
}
