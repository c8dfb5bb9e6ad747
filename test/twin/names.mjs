// Loaded into the functions' processes: names below localhost are this machine (RFC 6761), which Node leaves to the
// system, and not every system knows. And TLS stays TLS: MiniStack would take it from whatever goes to this machine.
import dns from 'node:dns'
import https from 'node:https'

const { lookup } = dns
dns.lookup = (name, options, callback) =>
  lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, options, callback)

const { request } = https
Object.defineProperty(https, 'request', { get: () => request, set: () => {} })
