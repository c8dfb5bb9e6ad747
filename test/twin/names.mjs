// Loaded into the functions' processes: names below localhost are this machine (RFC 6761), which Node leaves to the
// system, and not every system knows.
import dns from 'node:dns'

const { lookup } = dns
dns.lookup = (name, options, callback) =>
  lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, options, callback)
