// Whether the other registries answer: looked at now and then, and said in the API.
import { changeItem } from '../registry/change-item.ts'
import { keys } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { listRegistries } from './registries.ts'
import { opened, type RemoteRegistry } from './remote-registry.ts'
import type { Upstreams } from './upstreams.ts'

/** One after the other; a registry that cannot be looked at is not healthy. */
export async function checkRegistries(registry: Registry, upstreams: Upstreams): Promise<void> {
  for (const remote of await listRegistries(registry)) await checkRegistry(registry, upstreams, remote)
}

/** @returns why it is not healthy, or undefined when it is; noted where that is new */
export async function checkRegistry(
  registry: Registry,
  upstreams: Upstreams,
  remote: RemoteRegistry,
): Promise<string | undefined> {
  let reason: string | undefined
  try {
    reason = await upstreams.ping(opened(upstreams.keys, remote))
  } catch (error) {
    reason = (error as Error).message
  }
  await noteHealth(registry, remote, reason)
  return reason
}

async function noteHealth(
  registry: Registry,
  { id, updatedAtMs }: RemoteRegistry,
  reason: string | undefined,
): Promise<void> {
  const health = { healthy: reason === undefined, reason: reason ?? '', checkedAtMs: registry.clock.nowMs() }
  await changeItem(registry, keys.remoteRegistry(id), (before) =>
    // What was found of an address that is another by now says nothing.
    before.updatedAtMs === updatedAtMs &&
    (before.reason !== health.reason || before.healthy !== health.healthy)
      ? { ...before, ...health }
      : undefined,
  )
}
