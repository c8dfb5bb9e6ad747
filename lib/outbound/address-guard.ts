// Which addresses requests of ours may go to. Names in somebody's settings (registries, webhooks) must not lead into the
// network the registry itself stands in, nor to a cloud's metadata service, unless the administrator says so.
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { OutboundError } from './outbound-error.ts'

export interface AddressGuard {
  /** @throws OutboundError `forbidden` */
  check(address: string, name?: string): void
  /** As `dns.lookup`, without the addresses that are refused; what it gives is what is connected to. */
  lookup: LookupFunction
}

/** IANA special-purpose registry, IPv4: everything that is not globally reachable, multicast and reserved. */
const PRIVATE_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** Only global unicast is public in IPv6; of it not Teredo and other protocols, documentation, and 6to4. */
const GLOBAL_6 = '2000::/3'
const PRIVATE_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']
/** Metadata services: never a registry, so not even `all` opens them; a range that names them does. */
const METADATA = ['169.254.0.0/16', 'fd00:ec2::/32']

/**
 * @param allowed ranges such as `10.1.0.0/16` that may be reached although they are private, or `all`
 * @throws RangeError for what is no range
 */
export function createAddressGuard(allowed: readonly string[]): AddressGuard {
  const all = allowed.includes('all')
  const opened = listOf(allowed.filter((each) => each !== 'all'))
  const [metadata, private4, private6, global6] = [METADATA, PRIVATE_4, PRIVATE_6, [GLOBAL_6]].map(listOf)

  function isAllowed(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    // An IPv4 address in IPv6's clothes (`::ffff:127.0.0.1`) is judged by the IPv4 rules: BlockList sees through it.
    const mapped = family === 'ipv6' && /^::ffff:/i.test(address)
    if (opened.check(address, family)) return true
    if (metadata!.check(address, family)) return false
    if (all) return true
    if (family === 'ipv4' || mapped) return !private4!.check(address, family)
    return global6!.check(address, family) && !private6!.check(address, family)
  }

  function check(address: string, name = address): void {
    if (isAllowed(address)) return
    const what = name === address ? address : `${name} (${address})`
    throw new OutboundError(
      'forbidden',
      `${what} is a private address: an administrator can allow its range with upstreamPrivateNetworks`,
    )
  }

  const lookup: LookupFunction = (name, options, callback) => {
    systemLookup(name, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0)
      const addresses = found.filter(({ address }) => isAllowed(address))
      if (addresses.length > 0)
        return options.all
          ? callback(null, addresses)
          : callback(null, addresses[0]!.address, addresses[0]!.family)
      try {
        check(found[0]!.address, name)
      } catch (refusal) {
        callback(refusal as NodeJS.ErrnoException, '', 0)
      }
    })
  }
  return { check, lookup }
}

/** @throws RangeError */
function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const { address, bits, family } = parseRange(range)
    list.addSubnet(address, bits, family)
  }
  return list
}

/** @throws RangeError unless it is an address, or a network such as `10.0.0.0/8` */
function parseRange(range: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } {
  const [address = '', text, ...more] = range.split('/')
  const version = isIP(address)
  const most = version === 6 ? 128 : 32
  const bits = text === undefined ? most : /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (version === 0 || more.length > 0 || !(bits <= most))
    throw new RangeError(`${JSON.stringify(range)} is no range of addresses such as 10.0.0.0/8`)
  return { address, bits, family: version === 6 ? 'ipv6' : 'ipv4' }
}
