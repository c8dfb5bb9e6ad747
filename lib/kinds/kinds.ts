// Every kind of job there is.
import { webhookDelivery } from '../events/delivery.ts'
import type { JobKinds } from '../jobs/kinds.ts'
import type { Upstreams } from '../registries/upstreams.ts'
import type { SweepSummary } from '../registry/gc/ledger.ts'
import { replication } from '../replication/job.ts'
import { sbomReading } from '../sbom/attached.ts'
import { sbomGeneration } from '../sbom/job.ts'
import { rematch } from '../sbom/rematch.ts'
import { vulnerabilityExport } from '../scanning/export-job.ts'
import { imageScan, type Scanning } from '../scanning/job.ts'
import { scanAll } from '../scanning/scan-all.ts'
import { garbageCollection } from './garbage-collection.ts'
import { proxyRetention } from './proxy-retention.ts'
import { registryHealth } from './registry-health.ts'

/** What jobs need of the process that runs them. */
export interface JobParts {
  /** Sweeps, or joins the sweep that runs. */
  sweepNow(trigger: string): Promise<SweepSummary>
  /** Other registries and hosts: which may be reached, and the keys of the secrets for them. */
  upstreams: Upstreams
  /** Absent where nothing can be scanned. */
  scanning?: Scanning
}

export function jobKinds({ sweepNow, upstreams, scanning }: JobParts): JobKinds {
  return {
    GARBAGE_COLLECTION: garbageCollection(sweepNow),
    REPLICATION: replication(upstreams),
    REGISTRY_HEALTH: registryHealth(upstreams),
    PROXY_RETENTION: proxyRetention(),
    IMAGE_SCAN: imageScan(scanning),
    SCAN_ALL: scanAll(scanning),
    SCAN_DATA_EXPORT: vulnerabilityExport(),
    SBOM: sbomGeneration(scanning),
    SBOM_READ: sbomReading(),
    REMATCH: rematch(scanning),
    WEBHOOK: webhookDelivery(upstreams, 4),
    // Slack takes about one message a second of a webhook.
    SLACK: webhookDelivery(upstreams, 1),
  }
}
