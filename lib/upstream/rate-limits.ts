// How much of its budget an upstream says is left (docs.docker.com/docker-hub/usage/pulls: `ratelimit-limit: 100;w=21600`).
import type { IncomingHttpHeaders } from 'node:http'

export interface RateLimits {
  /** Requests in a window. */
  limit: number
  remaining: number
  /** Length of the window, where it is told. */
  windowSeconds?: number
}

/** @returns undefined where the answer has none */
export function limitsIn(headers: IncomingHttpHeaders): RateLimits | undefined {
  const limit = parse(headers['ratelimit-limit'] ?? headers['x-ratelimit-limit'])
  const remaining = parse(headers['ratelimit-remaining'] ?? headers['x-ratelimit-remaining'])
  if (!limit || !remaining) return undefined
  const windowSeconds = limit.window ?? remaining.window
  return {
    limit: limit.count,
    remaining: remaining.count,
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
  }
}

function parse(header: string | string[] | undefined): { count: number; window?: number } | undefined {
  const match = /^\s*(\d{1,12})(?:\s*;\s*w=(\d{1,9}))?/.exec(String(header ?? ''))
  if (!match) return undefined
  return { count: Number(match[1]), ...(match[2] === undefined ? {} : { window: Number(match[2]) }) }
}
