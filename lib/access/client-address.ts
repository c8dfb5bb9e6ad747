// Where a client is, as far as failed logins are counted: an address of IPv4, a network of IPv6.

/** Half of an address of IPv6: who has one address of a /64 has all of them. */
const NETWORK_GROUPS = 4

/**
 * @param address as a socket or a proxy tells it: `192.0.2.7`, `::ffff:192.0.2.7`, `fe80::1%eth0`
 * @returns `192.0.2.7`, `2001:db8:0:1::/64`; `unknown` for what is no address, which is one place for everybody
 */
export function placeOf(address: string): string {
  const plain = address
    .trim()
    .replace(/%.*$/, '')
    .replace(/^\[|\]$/g, '')
  const mapped = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(plain)
  if (mapped) return mapped[1]!
  const groups = plain.length <= 45 && plain.includes(':') ? groupsOf(plain) : undefined
  if (!groups) return 'unknown'
  // IPv4 in another spelling, as ::ffff:c000:207.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.')
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** The eight groups; undefined when it is no address of IPv6. */
function groupsOf(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [before, after] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const given = [...before!, ...(after ?? [])]
  if (!given.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  const missing = 8 - given.length
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before!, ...Array.from({ length: missing }, () => '0'), ...(after ?? [])]
  return groups.map((group) => Number.parseInt(group, 16))
}
