// What a deployment has whether anybody uses it or not. A test counts it in the templates.
import type { CloudConfig } from '../config/cloud.ts'

export const HOURS = 730
/** A sweep every six hours, and the task that sweeps waits five minutes for more to do. */
const SWEEPS = (HOURS / 24) * 4
const SWEEP_HOURS = 0.1
const ZONES = 2
/** Every minute somebody looks for jobs that are due or lost. */
const LOOKS = HOURS * 60
/** Strongly consistent: two for what is due, and every five minutes six for what was lost. */
const LOOK_READ_UNITS = 3.2
/** Lambda asks a queue without messages from five pollers, each of which waits twenty seconds. */
const QUEUE_REQUESTS = (HOURS * 3600 * 5) / 20
const ENDPOINTS = 6

export interface Standing {
  ingestTasks: number
  vcpuHours: number
  memoryGbHours: number
  balancers: number
  /** Hours of public addresses. */
  addressHours: number
  /** Interface endpoints, one in each zone. */
  endpoints: number
  secrets: number
  /** An alarm over several metrics counts as often. */
  alarmMetrics: number
  dashboards: number
  /** Calls of the function that looks for due jobs, what they read, and how often queues are asked. */
  lookCalls: number
  lookReadUnits: number
  queueRequests: number
}

export function standingOf({
  frontDoor,
  ingest,
  workers,
  privateNetworking,
}: Pick<CloudConfig, 'frontDoor' | 'ingest' | 'workers' | 'privateNetworking'>): Standing {
  const tasks = ingest === 'off' ? { min: 0, cpu: 0, memoryMiB: 0 } : ingest
  const ingestHours = tasks.min * HOURS
  const sweepHours = SWEEPS * SWEEP_HOURS
  const balancerAddresses = frontDoor === 'alb' ? ZONES * HOURS : 0
  return {
    ingestTasks: tasks.min,
    vcpuHours: (ingestHours * tasks.cpu + sweepHours * workers.cpu) / 1024,
    memoryGbHours: (ingestHours * tasks.memoryMiB + sweepHours * workers.memoryMiB) / 1024,
    balancers: ingest === 'off' ? 0 : 1,
    addressHours: privateNetworking ? 0 : ingestHours + sweepHours + balancerAddresses,
    endpoints: privateNetworking ? ENDPOINTS * ZONES : 0,
    secrets: 2,
    alarmMetrics: 6 + (frontDoor === 'cloudfront' ? 4 : 0) + (ingest === 'off' ? 0 : 2),
    dashboards: 1,
    lookCalls: LOOKS,
    lookReadUnits: LOOKS * LOOK_READ_UNITS,
    queueRequests: QUEUE_REQUESTS,
  }
}
