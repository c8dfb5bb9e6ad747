// What was done with `entrepot`, for the audit log.
import { noteAudit } from '../registry/audit-log.ts'
import type { OperationContext } from './operation.ts'

interface Deed {
  operation: 'create' | 'update' | 'delete'
  resourceType: 'user' | 'member' | 'robot'
  resource: string
  projectId?: string
}

/** Called once, when it is done. */
export async function noted({ registry, actor }: OperationContext, deed: Deed): Promise<void> {
  await noteAudit(registry, {
    ...deed,
    atMs: registry.clock.nowMs(),
    principal: actor.principal,
    description: `${deed.operation} ${deed.resourceType} ${deed.resource}`,
    succeeded: true,
    requestId: actor.requestId,
  })
}
