// Scans and reports as Harbor's API writes them.

import type { Overview } from '../../scanning/overview.ts'
import { GENERIC_REPORT_TYPE, REPORT_TYPE, type Report } from '../../scanning/report.ts'
import type { HttpRequest } from '../message.ts'
import { time } from './answers.ts'

/** Those a client names in X-Accept-Vulnerabilities that there are; Harbor's older name of the same unless it names one. */
export function reportTypesIn({ headers }: HttpRequest): string[] {
  const named = (headers['x-accept-vulnerabilities'] ?? '').split(',').map((each) => each.trim())
  const known = [REPORT_TYPE, GENERIC_REPORT_TYPE].filter((each) => named.includes(each))
  return known.length > 0 ? known.slice(0, 1) : [GENERIC_REPORT_TYPE]
}

export function overviewView(overview: Overview, types: string[]): object {
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
  return Object.fromEntries(types.map((type) => [type, view]))
}

/** Harbor's report has no secrets and misconfigurations: they stand beside it. */
export function reportView({ findings, ...report }: Report, types: string[]): object {
  const view = { ...report, ...(findings.length > 0 ? { findings } : {}) }
  return Object.fromEntries(types.map((type) => [type, view]))
}
