// Loaded before a server (`node --import`): addresses of names that no DNS of this machine knows, as a hosts file would
// give them. TEST_NAMES is `name=address,…`.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

const addresses = new Map(
  (process.env.TEST_NAMES ?? '').split(',').map((each) => each.split('=') as [string, string]),
)

const { lookup } = dns
const named = (name: string, ...rest: unknown[]) =>
  (lookup as (...args: unknown[]) => void)(addresses.get(name) ?? name, ...rest)
dns.lookup = named as typeof lookup
syncBuiltinESMExports()
