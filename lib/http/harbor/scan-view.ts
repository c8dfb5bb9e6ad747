// Scans and reports as Harbor's API writes them.

import type { SbomOverview } from '../../sbom/overview.ts'
import type { Overview } from '../../scanning/overview.ts'
import { GENERIC_REPORT_TYPE, REPORT_TYPE, type Report } from '../../scanning/report.ts'
import type { HttpRequest } from '../message.ts'
import { time } from './answers.ts'

/** The first there is of those that a client names in X-Accept-Vulnerabilities; Harbor's newer one where it names none. */
export function reportTypeIn({ headers }: HttpRequest): string {
  const named = (headers['x-accept-vulnerabilities'] ?? '').split(',').map((each) => each.trim())
  return named.find((each) => each === REPORT_TYPE || each === GENERIC_REPORT_TYPE) ?? REPORT_TYPE
}

export function overviewView(overview: Overview, type: string): object {
  const { report, status, startedAtMs, endedAtMs, completePercent, summary, scanner } = overview
  const view = {
    report_id: report,
    scan_status: status,
    severity: summary?.severity ?? '',
    duration: Math.round(((endedAtMs ?? startedAtMs) - startedAtMs) / 1000),
    ...(summary
      ? { summary: { total: summary.total, fixable: summary.fixable, summary: summary.counts } }
      : {}),
    start_time: time(startedAtMs),
    ...(endedAtMs === undefined ? {} : { end_time: time(endedAtMs) }),
    complete_percent: completePercent,
    scanner,
  }
  return { [type]: view }
}

export function sbomView(overview: SbomOverview): object {
  const { report, status, startedAtMs, endedAtMs, digest, scanner } = overview
  return {
    report_id: report,
    scan_status: status,
    start_time: time(startedAtMs),
    ...(endedAtMs === undefined ? {} : { end_time: time(endedAtMs) }),
    duration: Math.round(((endedAtMs ?? startedAtMs) - startedAtMs) / 1000),
    ...(digest === undefined ? {} : { sbom_digest: digest }),
    ...(scanner ? { scanner } : {}),
  }
}

/** Harbor's report has no secrets and misconfigurations: they stand beside it. */
export function reportView({ findings, ...report }: Report, type: string): object {
  const view = { ...report, ...(findings.length > 0 ? { findings } : {}) }
  return { [type]: view }
}
