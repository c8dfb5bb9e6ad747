// What the cost sheet says a deployment has is what the templates have.
import { expect, test } from 'vitest'
import { cloudSchema } from '../../lib/config/cloud.ts'
import { standingOf } from '../../lib/cost/standing.ts'
import { type Synthesis, synthesise } from '../support/synthesis.ts'

const DOMAIN = { name: 'registry.example.com', certificateArn: 'arn:aws:acm:us-east-1:1:certificate/1' }

/** An alarm over an expression is billed for each metric in it. */
function alarmMetrics({ ofType }: Synthesis): number {
  const alarms = ofType('AWS::CloudWatch::Alarm').map(
    ({ Properties }) => (Properties as { Metrics?: { MetricStat?: unknown }[] }).Metrics,
  )
  return alarms.reduce((sum, metrics) => sum + (metrics?.filter((each) => each.MetricStat).length ?? 1), 0)
}

function endpoints({ ofType }: Synthesis): number {
  const interfaces = ofType('AWS::EC2::VPCEndpoint')
    .map(({ Properties }) => Properties as { VpcEndpointType: string; SubnetIds: unknown[] })
    .filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface')
  return interfaces.reduce((sum, { SubnetIds }) => sum + SubnetIds.length, 0)
}

test.each([
  ['the usual deployment', {}],
  ['one without ingest', { ingest: 'off' }],
  ['one in private networks', { privateNetworking: true, ingest: { min: 2, max: 4 } }],
  ['one behind a load balancer', { frontDoor: 'alb', domain: DOMAIN }],
])('%s has as many billed things as the sheet counts', (_what, cloud) => {
  const made = synthesise(cloud)
  const stated = standingOf(cloudSchema.parse(cloud))
  const desired = made
    .ofType('AWS::ECS::Service')
    .map(({ Properties }) => (Properties as { DesiredCount: number }).DesiredCount)
  expect({
    ingestTasks: desired.reduce((sum, count) => sum + count, 0),
    balancers: made.ofType('AWS::ElasticLoadBalancingV2::LoadBalancer').length,
    endpoints: endpoints(made),
    secrets: made.ofType('AWS::SecretsManager::Secret').length,
    alarmMetrics: alarmMetrics(made),
    dashboards: made.ofType('AWS::CloudWatch::Dashboard').length,
    natGateways: made.ofType('AWS::EC2::NatGateway').length,
  }).toEqual({
    ingestTasks: stated.ingestTasks,
    balancers: stated.balancers,
    endpoints: stated.endpoints,
    secrets: stated.secrets,
    alarmMetrics: stated.alarmMetrics,
    dashboards: stated.dashboards,
    natGateways: 0,
  })
  const addresses = made
    .ofType('AWS::ECS::Service')
    .map(({ Properties }) => JSON.stringify(Properties).includes('"AssignPublicIp":"ENABLED"'))
  expect(addresses.some(Boolean)).toBe(stated.addressHours > 0)
})
