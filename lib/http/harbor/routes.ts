// Every route of the management API.
import { AUDIT_LOG_ROUTES } from './audit-logs.ts'
import type { HarborRoute } from './call.ts'
import { METADATA_ROUTES } from './metadatas.ts'
import { PROJECT_SUMMARY_ROUTES } from './project-summary.ts'
import { PROJECT_ROUTES } from './projects.ts'
import { QUOTA_ROUTES } from './quotas.ts'
import { STATISTICS_ROUTES } from './statistics.ts'
import { CONFIGURATION_ROUTES } from './configurations.ts'
import { CURRENT_USER_ROUTES } from './current-user.ts'
import { GROUP_ROUTES } from './groups.ts'
import { MEMBER_ROUTES } from './members.ts'
import { PERMISSION_ROUTES } from './permissions.ts'
import { ROBOT_ROUTES } from './robots.ts'
import { SYSTEM_ROUTES } from './system.ts'
import { USER_SECRET_ROUTES } from './user-secrets.ts'
import { USER_ROUTES } from './users.ts'

export const ROUTES: HarborRoute[] = [
  ...SYSTEM_ROUTES,
  ...STATISTICS_ROUTES,
  ...PROJECT_ROUTES,
  ...PROJECT_SUMMARY_ROUTES,
  ...METADATA_ROUTES,
  ...QUOTA_ROUTES,
  ...AUDIT_LOG_ROUTES,
  ...USER_ROUTES,
  ...CURRENT_USER_ROUTES,
  ...USER_SECRET_ROUTES,
  ...GROUP_ROUTES,
  ...MEMBER_ROUTES,
  ...ROBOT_ROUTES,
  ...PERMISSION_ROUTES,
  ...CONFIGURATION_ROUTES,
]
