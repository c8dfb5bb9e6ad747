// Runs one operation on many connections at once and keeps its latencies.
import type { JobResult } from './jobs.ts'
import { Connection } from './raw-http.ts'

/** @returns body bytes received, when that is of interest */
export type Operation = (connection: Connection, index: number) => Promise<number>

export interface Limits {
  connections: number
  /** When to stop starting operations. */
  seconds: number
  /** Operations in all; no limit when absent. */
  operations?: number
  warmupSeconds?: number
}

/** `index` is unique over the whole run; each connection does one operation after the other. */
export async function drive(host: string, limits: Limits, operation: Operation): Promise<JobResult> {
  const latencies: number[] = []
  let next = 0
  let count = 0
  let bodyBytes = 0
  const begin = performance.now()
  const countFrom = begin + (limits.warmupSeconds ?? 0) * 1000
  const end = countFrom + limits.seconds * 1000
  let lastEnd = countFrom
  const work = async () => {
    const connection = new Connection(host)
    try {
      while (next < (limits.operations ?? Number.POSITIVE_INFINITY)) {
        const startedAt = performance.now()
        if (startedAt >= end) return
        const received = await operation(connection, next++)
        const endedAt = performance.now()
        count++
        if (startedAt < countFrom) continue
        latencies.push(endedAt - startedAt)
        bodyBytes += received
        lastEnd = Math.max(lastEnd, endedAt)
      }
    } finally {
      connection.close()
    }
  }
  await Promise.all(Array.from({ length: limits.connections }, work))
  latencies.sort((a, b) => a - b)
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return {
    count: latencies.length,
    // What was begun in time is waited for and counted, so its time counts too.
    seconds: (lastEnd - countFrom) / 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    bodyBytes,
    countWithWarmup: count,
  }
}
