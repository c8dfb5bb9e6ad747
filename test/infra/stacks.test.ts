// The other stacks as they are synthesised.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { expect, test } from 'vitest'
import { readConfig } from '../../lib/config/config.ts'
import { check } from '../../lib/infra/acknowledged.ts'
import { evaluate, type Policy } from '../support/iam.ts'
import { onPushRule } from '../support/on-push.ts'
import { synthesise } from '../support/synthesis.ts'

const made = synthesise()

interface Container {
  Command: string[]
  Environment: { Name: string; Value: unknown }[]
}

test('the table streams, expires, can be restored to any second, and outlives its stack', () => {
  const [table] = made.ofType('AWS::DynamoDB::Table')
  expect(table).toMatchObject({
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      TimeToLiveSpecification: { Enabled: true },
    },
  })
})

test('the bucket is versioned, private, encrypted, tells of objects, forgets abandoned uploads, and outlives its stack', () => {
  const bucket = Object.values(made.resources.data!).find(({ Type }) => Type === 'AWS::S3::Bucket')
  expect(bucket).toMatchObject({
    DeletionPolicy: 'Retain',
    Properties: {
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      LifecycleConfiguration: {
        Rules: [
          {
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: expect.any(Number) },
            NoncurrentVersionExpiration: { NoncurrentDays: 35 },
            ExpiredObjectDeleteMarker: true,
          },
        ],
      },
    },
  })
})

test('noncurrent versions live as long as the table can be restored', () => {
  const bucket = Object.values(made.resources.data!).find(({ Type }) => Type === 'AWS::S3::Bucket')!
  const [table] = made.ofType('AWS::DynamoDB::Table')
  const { Rules } = bucket.Properties.LifecycleConfiguration as {
    Rules: { NoncurrentVersionExpiration: { NoncurrentDays: number } }[]
  }
  const { RecoveryPeriodInDays } = table!.Properties.PointInTimeRecoverySpecification as {
    RecoveryPeriodInDays: number
  }
  expect(Rules[0]!.NoncurrentVersionExpiration.NoncurrentDays).toBe(RecoveryPeriodInDays)
})

test('keep: false leaves nothing behind', () => {
  const thrown = synthesise({ keep: false })
  for (const type of ['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::SecretsManager::Secret'])
    for (const { DeletionPolicy } of thrown.ofType(type)) expect(DeletionPolicy).toBe('Delete')
})

test('every function runs Node 24 on arm64, traced, with a log group that forgets, and without reserved concurrency', () => {
  const functions = made.ofType('AWS::Lambda::Function')
  expect(functions).toHaveLength(7)
  for (const { Properties } of functions) {
    expect(Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
    })
    expect(Properties.ReservedConcurrentExecutions).toBeUndefined()
    expect((Properties.LoggingConfig as { LogGroup: string }).LogGroup).toMatch(/Log/)
  }
  for (const { Properties } of made.ofType('AWS::Logs::LogGroup')) expect(Properties.RetentionInDays).toBe(90)
})

test('the API has one default route for the registry, and answers within API Gateway’s time', () => {
  const routes = made.ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey)
  expect(routes.sort()).toEqual(['$default', 'ANY /api/{proxy+}', 'ANY /c/{proxy+}', 'ANY /service/{proxy+}'])
  for (const { Properties } of made.ofType('AWS::ApiGatewayV2::Integration'))
    expect(Properties.PayloadFormatVersion).toBe('2.0')
})

test('the API’s access log holds no paths: they may be permissions', () => {
  const [stage] = made.ofType('AWS::ApiGatewayV2::Stage')
  const { Format } = stage!.Properties.AccessLogSettings as { Format: string }
  expect(Format).not.toMatch(/path/i)
})

test('tasks are arm64, run as told, and write nowhere', () => {
  const tasks = made.ofType('AWS::ECS::TaskDefinition')
  expect(tasks).toHaveLength(2)
  for (const { Properties } of tasks) {
    expect(Properties.RuntimePlatform).toEqual({ CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' })
    const [container] = Properties.ContainerDefinitions as {
      ReadonlyRootFilesystem: boolean
      EntryPoint: string[]
    }[]
    expect(container).toMatchObject({ ReadonlyRootFilesystem: true, EntryPoint: ['node'] })
  }
})

test('workers sleep until somebody wakes them; ingest scales between its bounds', () => {
  const counts = Object.fromEntries(
    made
      .ofType('AWS::ECS::Service')
      .map(({ Properties }) => [Properties.ServiceName, Properties.DesiredCount]),
  )
  expect(counts).toEqual({ 'entrepot-workers': 0, 'entrepot-ingest': 1 })
  const scaled = synthesise({ ingest: { min: 2, max: 9 } })
  expect(scaled.ofType('AWS::ApplicationAutoScaling::ScalableTarget')[0]!.Properties).toMatchObject({
    MinCapacity: 2,
    MaxCapacity: 9,
  })
})

test('the balancer gives up an idle connection before the task does', () => {
  const [balancer] = made.ofType('AWS::ElasticLoadBalancingV2::LoadBalancer')
  const attributes = balancer!.Properties.LoadBalancerAttributes as { Key: string; Value: string }[]
  const idle = attributes.find(({ Key }) => Key === 'idle_timeout.timeout_seconds')!.Value
  const [ingest] = made
    .ofType('AWS::ECS::TaskDefinition')
    .flatMap(({ Properties }) => Properties.ContainerDefinitions as Container[])
    .filter(({ Command }) => Command.includes('bin/ingest.ts'))
  const env = Object.fromEntries(
    ingest!.Environment.flatMap(({ Name, Value }) => (typeof Value === 'string' ? [[Name, Value]] : [])),
  )
  const { keepAliveSeconds } = readConfig([], {
    ENTREPOT_KEEP_ALIVE_SECONDS: env.ENTREPOT_KEEP_ALIVE_SECONDS!,
  })
  expect(keepAliveSeconds).toBeGreaterThanOrEqual(Number(idle) + 10)
})

test('EC2 takes what rules of security groups are described with', () => {
  const descriptions = [made, synthesise({ privateNetworking: true })].flatMap(({ ofType }) => [
    ...ofType('AWS::EC2::SecurityGroup').flatMap(({ Properties }) => [
      Properties.GroupDescription,
      ...['SecurityGroupIngress', 'SecurityGroupEgress'].flatMap((each) =>
        ((Properties[each] ?? []) as { Description: string }[]).map(({ Description }) => Description),
      ),
    ]),
    ...['Ingress', 'Egress'].flatMap((each) =>
      ofType(`AWS::EC2::SecurityGroup${each}`).map(({ Properties }) => Properties.Description),
    ),
  ])
  expect(descriptions.length).toBeGreaterThan(4)
  // The set of its documentation.
  for (const each of descriptions) expect(each).toMatch(/^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/)
})

test('there is no NAT, and blobs and items go over gateway endpoints', () => {
  expect(made.ofType('AWS::EC2::NatGateway')).toEqual([])
  const services = made
    .ofType('AWS::EC2::VPCEndpoint')
    .map(({ Properties }) => String(Properties.ServiceName))
  expect(services.map((each) => each.split('.').at(-1)).sort()).toEqual(['dynamodb', 's3'])
})

test('privateNetworking: no public addresses, an endpoint for every service a task calls', () => {
  const own = synthesise({ privateNetworking: true })
  for (const { Properties } of own.ofType('AWS::ECS::Service'))
    expect(Properties.NetworkConfiguration).toMatchObject({
      AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' },
    })
  const services = own
    .ofType('AWS::EC2::VPCEndpoint')
    .map(({ Properties }) => String(Properties.ServiceName).replace(/^com\.amazonaws\.[^.]+\./, ''))
  expect(services.sort()).toEqual([
    'dynamodb',
    'ecr.api',
    'ecr.dkr',
    'ecs',
    'logs',
    's3',
    'secretsmanager',
    'sqs',
  ])
})

test('failed jobs and events wait in queues that are watched', () => {
  const queues = made.ofType('AWS::SQS::Queue')
  expect(queues.filter(({ Properties }) => Properties.RedrivePolicy)).toHaveLength(2)
  const source = made
    .ofType('AWS::Lambda::EventSourceMapping')
    .find(({ Properties }) => Properties.StartingPosition !== undefined)
  expect(source!.Properties).toMatchObject({
    BisectBatchOnFunctionError: true,
    DestinationConfig: { OnFailure: {} },
  })
  for (const { Properties } of made.ofType('AWS::Events::Rule'))
    for (const target of Properties.Targets as { DeadLetterConfig?: object }[])
      expect(target.DeadLetterConfig).toBeDefined()
})

test('the outputs name everything that people need by hand', () => {
  const idOf = (stack: string, type: string, beginning = '') =>
    Object.entries(made.resources[stack]!).find(
      ([id, { Type }]) => Type === type && id.startsWith(beginning),
    )![0]
  const { data, events, ingest, edge } = made.outputs
  expect(data).toEqual({
    AdminPasswordCommand: expect.stringMatching(/^aws secretsmanager get-secret-value .*AdminPassword/),
    Table: idOf('data', 'AWS::DynamoDB::Table'),
    Bucket: idOf('data', 'AWS::S3::Bucket'),
  })
  expect(events).toEqual({
    EventBus: idOf('events', 'AWS::Events::EventBus', 'Bus'),
    SetupFunction: idOf('events', 'AWS::Lambda::Function', 'Setup'),
  })
  const balancer = idOf('ingest', 'AWS::ElasticLoadBalancingV2::LoadBalancer')
  expect(ingest).toEqual({ BalancerName: `${balancer}.DNSName` })
  const distribution = `${idOf('edge', 'AWS::CloudFront::Distribution')}.DomainName`
  expect(edge).toEqual({
    Url: `https://${distribution}`,
    DistributionName: distribution,
    ProbeFunction: idOf('edge', 'AWS::Lambda::Function', 'Probe'),
    DirectUploads: expect.any(String),
    DirectClients: expect.any(String),
    ProbeFailed: expect.any(String),
  })
})

test('every alarm says what it means, tells somebody, and has a section in the runbook', () => {
  const runbook = readFileSync(path.resolve(import.meta.dirname, '../../docs/operations/runbook.md'), 'utf8')
  const alarms = made.ofType('AWS::CloudWatch::Alarm')
  expect(alarms.length).toBeGreaterThan(6)
  for (const { Properties } of alarms) {
    expect(Properties.AlarmDescription).toMatch(/^.{20,} Runbook: docs\/operations\/runbook\.md#[a-z]+$/)
    expect(Properties.AlarmActions).toHaveLength(1)
    const section = String(Properties.AlarmDescription).split('#')[1]
    expect(runbook.split('\n')).toContain(`## ${section}`)
  }
})

const alarm = (name: string) =>
  made
    .ofType('AWS::CloudWatch::Alarm')
    .find(({ Properties }) => String(Properties.AlarmDescription).endsWith(`#${name}`))!.Properties

test('ingest without a single task is as wrong as an unhealthy task: then nothing is measured', () => {
  expect(alarm('noingest')).toMatchObject({
    MetricName: 'UnHealthyHostCount',
    TreatMissingData: 'breaching',
    EvaluationPeriods: 3,
  })
})

test('answers of ingest with 5xx are counted, and none is none', () => {
  expect(alarm('ingesterrors')).toMatchObject({
    Namespace: 'AWS/ApplicationELB',
    MetricName: 'HTTPCode_Target_5XX_Count',
    Statistic: 'Sum',
    Period: 300,
    TreatMissingData: 'notBreaching',
  })
})

test('no program may read or write another’s secrets, and only the setup makes keys', () => {
  const policies = made.ofType('AWS::IAM::Policy').map(({ Properties }) => ({
    roles: Properties.Roles as string[],
    policy: Properties.PolicyDocument as Policy,
  }))
  const secret = (name: string) =>
    Object.entries(made.resources.data!).find(
      ([id, { Type }]) => Type === 'AWS::SecretsManager::Secret' && id.startsWith(name),
    )![0]
  const holders = (action: string, name: string) =>
    policies
      .filter(({ policy }) => evaluate([policy], { action, resource: arnOf(secret(name)) }).allowed)
      .flatMap(({ roles }) => roles.map((role) => role.replace(/[0-9A-F]{8}$/, '')))
      .sort()
  const arnOf = (id: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:${id}`
  expect(holders('secretsmanager:PutSecretValue', 'Keys')).toEqual(['SetupRole'])
  expect(holders('secretsmanager:GetSecretValue', 'AdminPassword')).toEqual(['ProbeRole', 'SetupRole'])
  // Jobs open the sealed logins and secrets of other hosts.
  expect(holders('secretsmanager:GetSecretValue', 'Keys')).toEqual([
    'JobsRole',
    'ManagementRole',
    'RegistryRole',
    'SetupRole',
    // Ingest, and the workers: logins to other registries are sealed with them.
    'TaskTaskRole',
    'TaskTaskRole',
    'TokenRole',
  ])
})

test('ingest: off makes no tasks for streams and no way to them', () => {
  const own = synthesise({ ingest: 'off' })
  expect(own.stacks.ingest).toBeUndefined()
  expect(own.ofType('AWS::ElasticLoadBalancingV2::LoadBalancer')).toEqual([])
  const [request] = own
    .ofType('AWS::CloudFront::Function')
    .map(({ Properties }) => String(Properties.FunctionCode))
  expect(request).toContain('ingest:!1')
})

test('frontDoor: alb is a load balancer and tasks, without an edge', () => {
  const certificateArn = 'arn:aws:acm:eu-central-1:111122223333:certificate/1'
  const domain = { name: 'registry.example.com', certificateArn }
  const own = synthesise({ frontDoor: 'alb', domain })
  expect(own.stacks.edge).toBeUndefined()
  expect(own.stacks.api).toBeUndefined()
  for (const type of [
    'AWS::CloudFront::Distribution',
    'AWS::CloudFront::KeyValueStore',
    'AWS::ApiGatewayV2::Api',
  ])
    expect(own.ofType(type)).toEqual([])
  expect(own.outputs.ingest).toMatchObject({
    Url: 'https://registry.example.com',
    BalancerName: expect.stringMatching(/\.DNSName$/),
  })
  expect(own.ofType('AWS::ElasticLoadBalancingV2::Listener')[0]!.Properties).toMatchObject({
    Port: 443,
    Protocol: 'HTTPS',
  })
  const task = own
    .ofType('AWS::ECS::TaskDefinition')
    .find(({ Properties }) => JSON.stringify(Properties).includes('bin/ingest.ts'))
  const environment = JSON.stringify(task!.Properties.ContainerDefinitions)
  expect(environment).toContain('{"Name":"ENTREPOT_EXTERNAL_URL","Value":"https://registry.example.com"}')
  expect(environment).toContain('{"Name":"ENTREPOT_EDGE","Value":"off"}')
  expect(environment).toContain('{"Name":"ENTREPOT_TRUSTED_PROXIES","Value":"1"}')
  expect(() => synthesise({ frontDoor: 'alb' })).toThrow('domain')
  expect(() => synthesise({ frontDoor: 'alb', domain, ingest: 'off' })).toThrow('ingest')
})

test('what the checks find and nobody acknowledged fails the synthesis', () => {
  const outdir = mkdtempSync(path.join(tmpdir(), 'entrepot-synth-'))
  const app = new App({ outdir, analyticsReporting: false })
  new Bucket(new Stack(app, 'stack'), 'Open')
  check(app)
  expect(() => app.synth()).toThrow()
  rmSync(outdir, { recursive: true })
})

test('the relay alone puts events onto the bus, and onto no other', () => {
  const [[bus]] = Object.entries(made.resources.events!).filter(
    ([, { Type }]) => Type === 'AWS::Events::EventBus',
  ) as [[string, unknown]]
  const statements = made
    .ofType('AWS::IAM::Policy')
    .flatMap(({ Properties }) => {
      const { PolicyDocument, Roles } = Properties as {
        PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] }
        Roles: string[]
      }
      return PolicyDocument.Statement.map((statement) => ({ ...statement, role: Roles[0]! }))
    })
    .filter(({ Action }) => [Action].flat().some((each) => each.startsWith('events:')))
  expect(statements).toMatchObject([
    {
      role: expect.stringMatching(/^RelayRole/),
      Action: 'events:PutEvents',
      Resource: expect.stringMatching(new RegExp(`:${bus}$`)),
    },
  ])
})

test('OnPush is a rule on the bus for pushes whose repository and tag fit', () => {
  expect(onPushRule('team/*', 'v*')).toMatchObject({
    EventBusName: 'entrepot',
    State: 'ENABLED',
    EventPattern: {
      source: ['entrepot'],
      'detail-type': ['Artifact Pushed', 'Tag Moved'],
      detail: { data: { cause: ['push'], repository: [{ wildcard: 'team/*' }], tags: [{ wildcard: 'v*' }] } },
    },
    Targets: [{ Arn: expect.anything() }],
  })
})
