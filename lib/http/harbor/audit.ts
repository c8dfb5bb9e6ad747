// Noting what the management API did, for the audit log.
import { noteAudit } from '../../registry/audit-log.ts'
import type { HarborCall } from './call.ts'

export interface Deed {
  operation: 'create' | 'update' | 'delete'
  resourceType: string
  resource: string
  projectId?: string
}

/** Called once, when it is done. */
export async function noted({ registry, principal, request }: HarborCall, deed: Deed): Promise<void> {
  await noteAudit(registry, {
    ...deed,
    atMs: registry.clock.nowMs(),
    principal: principal.name,
    description: `${deed.operation} ${deed.resourceType} ${deed.resource}`,
    succeeded: true,
    requestId: request.id,
  })
}
