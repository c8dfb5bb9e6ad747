// Numbers: ids as Harbor's API has them, beside our own.
import { createHash } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import { keys } from './keys.ts'
import { number, type Registry } from './registry.ts'

const ATTEMPTS = 50

/** What is numbered one after the other; nothing that is made in a push, where a shared counter would be in the way. */
export type Numbered =
  | 'project'
  | 'user'
  | 'group'
  | 'member'
  | 'robot'
  | 'label'
  | 'immutable-rule'
  | 'execution'
  | 'task'
  | 'schedule'
  | 'registry'
  | 'replication-policy'
  | 'webhook-policy'

/**
 * The next number of that kind, from 1, never given twice. A number may be lost when its user fails.
 * @param count as many numbers in a row; the first is returned
 * @throws UNAVAILABLE when too many want one at once
 */
export async function nextNumber(registry: Registry, kind: Numbered, count = 1): Promise<number> {
  const key = keys.lastNumber(kind)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(key)
    const last = item ? number(item, 'last') : 0
    const outcome = await registry.metadata.transact([
      {
        kind: 'put',
        if: item ? { kind: 'equals', attributes: { last } } : { kind: 'absent' },
        item: { ...key, attributes: { v: 1, last: last + count } },
      },
    ])
    if (outcome.ok) return last + 1
  }
  throw new RegistryError('UNAVAILABLE', `too many want a new ${kind} at once: try again`)
}

/** The same number for the same text, of 48 bits: ids of what pushes make (repositories, artifacts, tags). */
export function stableNumber(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6)
}
