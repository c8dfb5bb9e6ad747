// The beginning and the end of each task of a replication are events of the project here that it copies from or to, as in
// Harbor; in a file of its own, because every program that begins or ends jobs tells of it.
import type { Execution, Task } from '../jobs/execution.ts'
import { isDigest } from '../oci/digest.ts'
import { projectOf } from '../oci/reference.ts'
import { type RemoteRegistry, remoteRegistryIn } from '../registries/remote-registry.ts'
import { keys } from '../registry/keys.ts'
import { noticeWrite } from '../registry/outbox.ts'
import type { Attributes, Write } from '../registry/ports.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { payloadOf } from './payload.ts'
import { findPolicy, type ReplicationPolicy } from './policy.ts'

type Telling = (registry: Registry, execution: Execution, task: Task) => Promise<Write[]>

/** Written with the end of a task, so that it is told of once; and only where a webhook policy of the project asks for it. */
export const replicationEnded: Telling = (...of) => told('replication.ended', ...of)

/** The same with its beginning: a second attempt is none. */
export const replicationBegan: Telling = (...of) => told('replication.begun', ...of)

async function told(
  type: 'replication.begun' | 'replication.ended',
  registry: Registry,
  execution: Execution,
  task: Task,
): Promise<Write[]> {
  if (task.vendor !== 'REPLICATION') return []
  const payload = payloadOf(task.payload)
  if (payload.do !== 'copy' && payload.do !== 'delete') return []
  const policy = await findPolicy(registry, execution.rule)
  if (!policy) return []
  const { reference } = payload
  const local = resourceHere(policy, task)
  const name = local.slice(0, -(reference.length + 1))
  const project = await findProject(registry, projectOf(name))
  if (!project?.notices?.includes('replication.ended')) return []
  const remote = remoteRegistryIn(await registry.metadata.get(keys.remoteRegistry(policy.registryId)))
  const facts = {
    type,
    ...(isDigest(reference) ? { digest: reference, tags: [] } : { tags: [reference] }),
    cause: 'replication',
    details: { replication: replicationOf(policy, execution, task, reference, remote) },
  }
  const actor = {
    principal: String(execution.extra.operator ?? ''),
    requestId: `replication-${execution.number}`,
  }
  return [noticeWrite(registry, { name, projectId: project.id }, facts, actor)]
}

function resourceHere({ direction }: ReplicationPolicy, { extra }: Task): string {
  return String(direction === 'push' ? extra.source_resource : extra.destination_resource)
}

/**
 * Harbor's `replication` (goharbor/harbor src/controller/event/model/event.go) but for this registry's own address, which
 * whoever keeps a webhook knows. Of a push Harbor gives each side the other's namespace; here each has its own.
 */
function replicationOf(
  policy: ReplicationPolicy,
  execution: Execution,
  task: Task,
  reference: string,
  remote: RemoteRegistry | undefined,
): Attributes {
  const { status, message, extra } = task
  const [source, destination] = [extra.source_resource, extra.destination_resource].map(String)
  const namespaces = { src: projectOf(source!), dest: projectOf(destination!) }
  const push = policy.direction === 'push'
  const here = { registry_type: 'harbor', namespace: push ? namespaces.src : namespaces.dest }
  const there = {
    registry_name: remote?.name ?? '',
    registry_type: remote?.type ?? '',
    endpoint: remote?.url ?? '',
    namespace: push ? namespaces.dest : namespaces.src,
  }
  const ours = resourceHere(policy, task)
  const artifact = {
    type: String(extra.resource_type),
    status,
    name_tag: ours.slice(ours.indexOf('/') + 1),
    references: [reference],
    ...(status === 'Error' ? { fail_reason: message.slice(0, 500) } : {}),
  }
  return {
    job_status: status,
    ...(policy.description === '' ? {} : { description: policy.description }),
    artifact_type: String(extra.resource_type),
    ...(remote?.credentialType ? { authentication_type: remote.credentialType } : {}),
    ...(policy.override ? { override_mode: true } : {}),
    trigger_type: execution.trigger,
    policy_creator: policy.creator,
    execution_timestamp: Math.floor(execution.startedAtMs / 1000),
    src_resource: push ? here : there,
    dest_resource: push ? there : here,
    ...(status === 'Success' ? { successful_artifact: [artifact] } : {}),
    ...(status === 'Error' ? { failed_artifact: [artifact] } : {}),
    execution_id: execution.number,
    task_id: task.number,
  }
}
