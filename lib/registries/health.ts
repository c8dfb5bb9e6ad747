// Whether the other registries answer: looked at now and then, and said in the API.
import { changeItem } from '../registry/change-item.ts'
import { keys } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { listRegistries } from './registries.ts'
import { opened, type RemoteRegistry } from './remote-registry.ts'
import type { Upstreams } from './upstreams.ts'

const AT_ONCE = 8

/**
 * A few at once, beginning anywhere: what one look does not come to another does. A registry that cannot be looked at is
 * not healthy.
 * @param signal ends it after those that are looked at just then
 * @param seen told of each, with the reason why it is not healthy
 */
export async function checkRegistries(
  registry: Registry,
  upstreams: Upstreams,
  signal: AbortSignal,
  seen: (remote: RemoteRegistry, reason: string | undefined) => void,
): Promise<void> {
  const all = await listRegistries(registry)
  const first = Math.floor(Math.random() * all.length)
  const waiting = [...all.slice(first), ...all.slice(0, first)]
  const lane = async () => {
    for (let remote = waiting.shift(); remote && !signal.aborted; remote = waiting.shift())
      seen(remote, await checkRegistry(registry, upstreams, remote))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
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
