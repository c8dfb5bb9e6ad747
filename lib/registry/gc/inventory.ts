// Objects the metadata does not know: what a crash left between storing bytes and linking them.
import { keys } from '../keys.ts'
import { objectKeys } from '../object-keys.ts'
import type { StoredObject } from '../ports.ts'
import type { Registry } from '../registry.ts'

const READ_AT_ONCE = 100
/** Younger ones may be about to be linked. */
export const ORPHAN_AGE_MS = 86_400_000

/** Objects older than a day that have no OBJ, or only its tombstone. */
export async function* unknownObjects(registry: Registry): AsyncGenerator<StoredObject> {
  const before = registry.clock.nowMs() - Math.max(ORPHAN_AGE_MS, registry.settings.pushGraceMs)
  let group: StoredObject[] = []
  for await (const object of registry.blobs.list(objectKeys.all)) {
    if (object.modifiedAtMs > before) continue
    group.push(object)
    if (group.length < READ_AT_ONCE) continue
    yield* await unknownOf(registry, group)
    group = []
  }
  yield* await unknownOf(registry, group)
}

async function unknownOf(registry: Registry, group: StoredObject[]): Promise<StoredObject[]> {
  const known = await registry.metadata.batchGet(group.map((object) => keys.object(object.key)))
  // A tombstone whose object is still there: the sweep that wrote it died before it deleted the bytes.
  return group.filter((_, index) => !known[index] || known[index].attributes.state === 'deleted')
}
