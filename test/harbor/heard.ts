// What was asked of the API in a test run, and whether the answers kept to Harbor's description.
import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { type Exchange, judge } from './contract.ts'

/** Where the operations that were seen go: a JSON line each. */
export const SEEN =
  process.env.HARBOR_SEEN ?? path.resolve(import.meta.dirname, '../../reports/harbor-seen.jsonl')

export interface Seen {
  operation: string
  status: number
}

const written = new Set<string>()

/**
 * Judges an exchange under the API's base path and records which operation answered with which status.
 * @returns what breaks the contract, ready to be printed; nothing when all is well
 */
export function heard(exchange: Exchange): string[] {
  const { operation, breaches } = judge(
    process.env.SABOTAGE === 'harbor-contract' ? spoilt(exchange) : exchange,
  )
  const asked = `${exchange.method} ${exchange.path} (${operation?.id ?? 'unknown'}) -> ${exchange.status}`
  // The 404 of a path that leads nowhere says nothing of the operation: nobody has seen it.
  if (operation && isNowhere(exchange)) return [`${asked}: the registry does not have this operation`]
  if (operation) remember({ operation: operation.id, status: exchange.status })
  return breaches.map((breach) => `${asked}: ${breach}`)
}

const isNowhere = ({ status, body }: Exchange) =>
  status === 404 && Buffer.from(body).includes('is no endpoint of this API')

/** Each pair once in a process: a line is short enough to be appended whole beside those of others. */
function remember(seen: Seen): void {
  const line = JSON.stringify(seen)
  if (written.has(line)) return
  written.add(line)
  mkdirSync(path.dirname(SEEN), { recursive: true })
  appendFileSync(SEEN, `${line}\n`)
}

/** With the sabotage switch on, numbers come as strings and lists without their count. */
function spoilt(exchange: Exchange): Exchange {
  const { 'x-total-count': _, ...headers } = exchange.headers
  const body = Buffer.from(exchange.body).toString('utf8')
  return { ...exchange, headers, body: body.replaceAll(/:(\d+)(?=[,}])/g, ':"$1"') }
}
