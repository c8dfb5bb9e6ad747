// Every route of the management API.
import { AUDIT_LOG_ROUTES } from './audit-logs.ts'
import type { HarborRoute } from './call.ts'
import { METADATA_ROUTES } from './metadatas.ts'
import { PROJECT_SUMMARY_ROUTES } from './project-summary.ts'
import { PROJECT_ROUTES } from './projects.ts'
import { QUOTA_ROUTES } from './quotas.ts'
import { STATISTICS_ROUTES } from './statistics.ts'
import { SYSTEM_ROUTES } from './system.ts'

export const ROUTES: HarborRoute[] = [
  ...SYSTEM_ROUTES,
  ...STATISTICS_ROUTES,
  ...PROJECT_ROUTES,
  ...PROJECT_SUMMARY_ROUTES,
  ...METADATA_ROUTES,
  ...QUOTA_ROUTES,
  ...AUDIT_LOG_ROUTES,
]
