// The cost sheet: what a month of so much use of such a deployment costs, line by line.
import type { CloudConfig } from '../config/cloud.ts'
import { count, gib, type Line, line } from './line.ts'
import { type Quantities, quantitiesOf, type Traffic } from './operations.ts'
import { ALLOWANCES, type Prices } from './prices.ts'
import { HOURS, type Standing, standingOf } from './standing.ts'

export interface Use extends Omit<Traffic, 'direct'> {
  gibStored: number
  gibPulled: number
  /** Share of pulled bytes that stays within the region, where S3 asks nothing for them. */
  insideShare: number
}

export interface Deployment {
  cloud: Pick<CloudConfig, 'frontDoor' | 'ingest' | 'directUploads' | 'workers' | 'privateNetworking'>
  prices: Prices
  /** Whether what an account has free is there for the registry. */
  allowances: boolean
}

export interface Sheet {
  lines: Line[]
  total: number
}

const KIB_PER_GB = 2 ** 20
/** Of an answer that is not a blob: a manifest, a token, a redirect. */
const ANSWER_KIB = 2
const LOG_KIB = 1
const API_GB = 1
const RELAY_GB = 0.5
const RELAY_SECONDS = 0.1
/** X-Ray records one call a second and one in twenty of the others. */
const TRACED_A_SECOND = HOURS * 3600
const TRACED_SHARE = 0.05

const NO_USE = { pushes: 0, pulls: 0, gibStored: 0, gibPulled: 0, gibPushed: 0 }

export function costSheet(use: Use, deployment: Deployment): Sheet {
  const { cloud } = deployment
  const direct = cloud.frontDoor === 'cloudfront' && cloud.directUploads === 'on'
  const streamedShare = direct ? use.streamedShare : 1
  const asked = quantitiesOf({ ...use, direct, streamedShare })
  const lines = linesOf({ ...use, streamedShare }, asked, standingOf(cloud), deployment)
  return { lines, total: lines.reduce((sum, { usd }) => sum + usd, 0) }
}

/** The same deployment in a month when nobody uses it and nothing is stored. */
export function idleSheet(use: Use, deployment: Deployment): Sheet {
  return costSheet({ ...use, ...NO_USE }, deployment)
}

function linesOf(use: Use, asked: Quantities, standing: Standing, deployment: Deployment): Line[] {
  const { cloud, prices, allowances } = deployment
  const edge = cloud.frontDoor === 'cloudfront'
  const beyond = (amount: number, free: keyof typeof ALLOWANCES) =>
    Math.max(0, amount - (allowances ? ALLOWANCES[free] : 0))
  const answersGb = (asked.requests * ANSWER_KIB) / KIB_PER_GB
  const edgeRequests = edge ? asked.requests : 0
  const apiCalls = edge ? asked.apiCalls : 0
  const relayCalls = asked.relayCalls + standing.lookCalls
  const readUnits = asked.readUnits + standing.lookReadUnits
  const calls = apiCalls + relayCalls
  const functionGbSeconds = (edge ? asked.apiSeconds * API_GB : 0) + relayCalls * RELAY_SECONDS * RELAY_GB
  const traces = Math.min(calls, TRACED_A_SECOND) + Math.max(0, calls - TRACED_A_SECOND) * TRACED_SHARE
  const logGb = ((asked.requests + relayCalls) * LOG_KIB) / KIB_PER_GB
  const outGb = use.gibPulled * (1 - use.insideShare) + (edge ? 0 : answersGb)
  const balancedGb = use.gibPushed * use.streamedShare + (edge ? 0 : answersGb)
  return [
    line('S3 storage', gib(use.gibStored), [use.gibStored, prices.s3Storage]),
    line(
      'S3 requests',
      `${count(asked.s3Writes)} writes, ${count(asked.s3Reads)} reads`,
      [asked.s3Writes, prices.s3Write],
      [asked.s3Reads, prices.s3Read],
    ),
    line('data transfer', `${gib(outGb)} out`, [beyond(outGb, 'egressGb'), prices.egress]),
    line(
      'CloudFront requests',
      `${count(edgeRequests)}, two functions on each`,
      [beyond(edgeRequests, 'edgeRequests'), prices.edgeRequest],
      [beyond(2 * edgeRequests, 'edgeFunctions'), prices.edgeFunction],
    ),
    line(
      'CloudFront bytes',
      edge ? `${gib(use.gibPushed)} in, ${gib(answersGb)} out` : 'none',
      [edge ? use.gibPushed : 0, prices.edgeUpload],
      [edge ? beyond(answersGb, 'edgeOutGb') : 0, prices.edgeOut],
    ),
    line('key-value store', `${count(asked.keyReads)} reads`, [edge ? asked.keyReads : 0, prices.keyRead]),
    line('API Gateway', `${count(apiCalls)} calls`, [apiCalls, prices.apiCall]),
    line(
      'Lambda',
      `${count(calls)} calls, ${count(functionGbSeconds)} GB-s`,
      [beyond(calls, 'functionCalls'), prices.functionCall],
      [beyond(functionGbSeconds, 'functionGbSeconds'), prices.functionGbSecond],
    ),
    line(
      'DynamoDB',
      `${count(readUnits)} read, ${count(asked.writeUnits)} write units`,
      [readUnits, prices.readUnit],
      [asked.writeUnits, prices.writeUnit],
    ),
    line('SQS', `${count(standing.queueRequests)} requests`, [
      beyond(standing.queueRequests, 'queueRequests'),
      prices.queueRequest,
    ]),
    line('EventBridge', `${count(asked.events)} of S3's events`, [asked.events, prices.event]),
    line(
      'Fargate',
      `${standing.ingestTasks} ingest, sweeps; ${count(standing.vcpuHours)} vCPU-h`,
      [standing.vcpuHours, prices.vcpuHour],
      [standing.memoryGbHours, prices.memoryGbHour],
    ),
    line(
      'load balancer',
      standing.balancers === 0 ? 'none' : `1, ${gib(balancedGb)}`,
      [standing.balancers * HOURS, prices.balancerHour],
      [standing.balancers * balancedGb, prices.balancerUnitHour],
    ),
    line('public IPv4 addresses', `${count(standing.addressHours)} h`, [
      standing.addressHours,
      prices.addressHour,
    ]),
    line('interface endpoints', String(standing.endpoints), [
      standing.endpoints * HOURS,
      prices.endpointHour,
    ]),
    line(
      'logs and traces',
      `${gib(logGb)}, ${count(traces)} traces`,
      [beyond(logGb, 'logGb'), prices.logGb],
      [beyond(traces, 'traces'), prices.trace],
    ),
    line(
      'alarms, dashboard',
      `${standing.alarmMetrics} metrics, ${standing.dashboards} dashboard`,
      [beyond(standing.alarmMetrics, 'alarms'), prices.alarmMonth],
      [beyond(standing.dashboards, 'dashboards'), prices.dashboardMonth],
    ),
    line('secrets', String(standing.secrets), [standing.secrets, prices.secretMonth]),
  ]
}
