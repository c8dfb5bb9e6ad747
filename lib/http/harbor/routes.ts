// Every route of the management API.
import { ARTIFACT_TAG_ROUTES } from './artifact-tags.ts'
import { ARTIFACT_ROUTES } from './artifacts.ts'
import { AUDIT_LOG_ROUTES } from './audit-logs.ts'
import type { HarborRoute } from './call.ts'
import { CONFIGURATION_ROUTES } from './configurations.ts'
import { CURRENT_USER_ROUTES } from './current-user.ts'
import { EXPORT_ROUTES } from './exports.ts'
import { GC_ROUTES } from './gc.ts'
import { GROUP_ROUTES } from './groups.ts'
import { IMMUTABLE_RULE_ROUTES } from './immutable-rules.ts'
import { JOBSERVICE_ROUTES } from './jobservice.ts'
import { LABEL_ROUTES } from './labels.ts'
import { MEMBER_ROUTES } from './members.ts'
import { METADATA_ROUTES } from './metadatas.ts'
import { PERMISSION_ROUTES } from './permissions.ts'
import { PROJECT_SCANNER_ROUTES } from './project-scanner.ts'
import { PROJECT_SUMMARY_ROUTES } from './project-summary.ts'
import { PROJECT_ROUTES } from './projects.ts'
import { QUOTA_ROUTES } from './quotas.ts'
import { REGISTRY_ROUTES } from './registries.ts'
import { REMATCH_ROUTES } from './rematch.ts'
import { REPLICATION_EXECUTION_ROUTES } from './replication-executions.ts'
import { REPLICATION_POLICY_ROUTES } from './replication-policies.ts'
import { REPOSITORY_ROUTES } from './repositories.ts'
import { ROBOT_ROUTES } from './robots.ts'
import { SCAN_ALL_ROUTES } from './scan-all.ts'
import { SCANNER_ROUTES } from './scanners.ts'
import { SCAN_ROUTES } from './scans.ts'
import { SEARCH_ROUTES } from './search.ts'
import { SECURITY_ROUTES } from './security.ts'
import { SIGNATURE_TRUST_ROUTES } from './signature-trust.ts'
import { STATISTICS_ROUTES } from './statistics.ts'
import { SYSTEM_ROUTES } from './system.ts'
import { SYSTEM_ALLOWLIST_ROUTES } from './system-allowlist.ts'
import { USER_SECRET_ROUTES } from './user-secrets.ts'
import { USER_ROUTES } from './users.ts'
import { WEBHOOK_DELIVERY_ROUTES } from './webhook-deliveries.ts'
import { WEBHOOK_ROUTES } from './webhooks.ts'

export const ROUTES: HarborRoute[] = [
  ...SYSTEM_ROUTES,
  ...REPOSITORY_ROUTES,
  ...SCAN_ROUTES,
  ...ARTIFACT_ROUTES,
  ...ARTIFACT_TAG_ROUTES,
  ...LABEL_ROUTES,
  ...STATISTICS_ROUTES,
  ...PROJECT_ROUTES,
  ...PROJECT_SUMMARY_ROUTES,
  ...METADATA_ROUTES,
  ...SIGNATURE_TRUST_ROUTES,
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
  ...SEARCH_ROUTES,
  ...IMMUTABLE_RULE_ROUTES,
  ...REGISTRY_ROUTES,
  ...WEBHOOK_ROUTES,
  ...WEBHOOK_DELIVERY_ROUTES,
  ...SYSTEM_ALLOWLIST_ROUTES,
  ...GC_ROUTES,
  ...JOBSERVICE_ROUTES,
  ...REPLICATION_POLICY_ROUTES,
  ...REPLICATION_EXECUTION_ROUTES,
  ...SCAN_ALL_ROUTES,
  ...REMATCH_ROUTES,
  ...SCANNER_ROUTES,
  ...PROJECT_SCANNER_ROUTES,
  ...SECURITY_ROUTES,
  ...EXPORT_ROUTES,
]
