// What is in the audit log, in Harbor's words: its types of events, and the sentence beside each entry.
import type { Configuration } from './configuration.ts'

/** Harbor's own first, in its order (goharbor/harbor src/pkg/auditext/model, 2.14); what we note beside them after those. */
export const AUDITED_EVENTS = [
  'create_artifact',
  'delete_artifact',
  'pull_artifact',
  'create_project',
  'delete_project',
  'delete_repository',
  'login_user',
  'logout_user',
  'create_user',
  'delete_user',
  'update_user',
  'create_robot',
  'delete_robot',
  'update_configuration',
  'create_tag',
  'delete_tag',
  'update_project',
  'update_quota',
  'create_repository',
  'update_repository',
  'create_member',
  'update_member',
  'delete_member',
  'update_robot',
  'create_user-group',
  'update_user-group',
  'delete_user-group',
  'create_label',
  'update_label',
  'delete_label',
  'create_garbage_collection',
  'update_garbage_collection',
  'update_job',
  'update_job_queue',
  'create_webhook_policy',
  'update_webhook_policy',
  'delete_webhook_policy',
  'create_immutable-tag',
  'update_immutable-tag',
  'delete_immutable-tag',
  'create_registry',
  'update_registry',
  'delete_registry',
  'create_replication',
  'update_replication',
  'delete_replication',
  'create_replication_execution',
  'update_replication_execution',
  'create_scan',
  'create_scan_all',
  'update_scan_all',
  'create_export_cve',
  'create_scanner',
  'update_scanner',
  'delete_scanner',
]

/** Something that somebody did, or tried to do. */
export interface AuditedDeed {
  operation: string
  resourceType: string
  resource: string
}

/** Whether administrators want it noted: `disabled_audit_log_event_types` names what they do not, in any case. */
export function isAudited(configuration: Configuration, { operation, resourceType }: AuditedDeed): boolean {
  const type = `${operation}_${resourceType}`
  if (type === 'pull_artifact' && configuration.pull_audit_log_disable) return false
  const disabled = configuration.disabled_audit_log_event_types.toLowerCase().split(',')
  return !disabled.some((each) => each.trim() === type)
}

/** Harbor's `operation_description`. */
export function descriptionOf({ operation, resourceType, resource }: AuditedDeed): string {
  if (operation === 'login' || operation === 'logout') return operation
  if (resourceType === 'configuration') return `${operation} configuration`
  if (resourceType === 'user') return `${operation} user with name: ${resource}`
  return `${operation} ${resourceType}: ${resource}`
}
