// A rule must not copy this registry into itself: each run would find what the one before it made.
import { RegistryError } from '../oci/errors.ts'
import { destinationName } from './names.ts'
import { namesIn, prefixOf } from './patterns.ts'
import { namePattern, type ReplicationPolicy } from './policy.ts'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Copies within one registry are well, as long as nothing that is copied to is copied from.
 * @param ownUrl under which this registry was asked
 * @throws REQUEST_INVALID
 */
export function refuseSelf(policy: ReplicationPolicy, url: string, ownUrl: string): void {
  if (!isSame(url, ownUrl) || !overlaps(policy)) return
  throw new RegistryError(
    'REQUEST_INVALID',
    `${url} is this registry itself, and what the rule copies to is among what it copies from: choose another destination namespace, or a narrower name filter`,
  )
}

function isSame(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false
  const [a, b] = [new URL(one), new URL(other)]
  if (portOf(a) !== portOf(b)) return false
  return a.hostname === b.hostname || (LOOPBACK.test(a.hostname) && LOOPBACK.test(b.hostname))
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80')
}

/** Takes patterns for as wide as their beginning. */
function overlaps(policy: ReplicationPolicy): boolean {
  if (policy.namespace === '') return true
  const pattern = namePattern(policy)
  const names = namesIn(pattern)
  if (names) return names.some((name) => names.includes(destinationName(name, policy)))
  const [from, to] = [prefixOf(pattern), `${policy.namespace}/`]
  return from.startsWith(to) || to.startsWith(from)
}
