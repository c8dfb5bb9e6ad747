// What AWS asks, on demand, in US dollars: from copies of its Price List of September to November 2026. The only place
// with prices. Look at AWS's own pages before money depends on it.

/** The last look at any of them. */
export const PRICES_OF = '2026-11-23'

export interface Price {
  usd: number
  /** From memory: nobody has read it in AWS's list. */
  unread?: true
}

/** Up to so many units at this price, then the next; the last has no end. */
export interface Tier extends Price {
  upTo?: number
}

const MILLION = 1_000_000
const THOUSAND = 1000
const TB = 1024

const read = (usd: number): Price => ({ usd })
const unread = (usd: number): Price => ({ usd, unread: true })

const US_EAST_1 = {
  /** A GB-month; the first 50 TB, the next 450, the rest. */
  s3Storage: [{ upTo: 50 * TB, usd: 0.023 }, { upTo: 500 * TB, usd: 0.022 }, { usd: 0.021 }] as Tier[],
  /** PUT, POST, LIST and what belongs to uploads in parts. */
  s3Write: read(0.005 / THOUSAND),
  s3Read: read(0.0004 / THOUSAND),
  /** A GB out to the internet, from S3 or a load balancer. */
  egress: [
    { upTo: 10 * TB, usd: 0.09 },
    { upTo: 50 * TB, usd: 0.085 },
    { upTo: 150 * TB, usd: 0.07 },
    { usd: 0.05 },
  ] as Tier[],
  /** A GB from the edge to viewers in North America and Europe. */
  edgeOut: [
    { upTo: 10 * TB, usd: 0.085 },
    { upTo: 50 * TB, usd: 0.08 },
    { upTo: 150 * TB, usd: 0.06 },
    { upTo: 500 * TB, usd: 0.04 },
    { upTo: 1024 * TB, usd: 0.03 },
    { upTo: 5 * 1024 * TB, usd: 0.025 },
    { usd: 0.02 },
  ] as Tier[],
  edgeRequest: read(0.01 / 10_000),
  edgeFunction: unread(0.1 / MILLION),
  /** A GB of request bodies from the edge to an origin. */
  edgeUpload: unread(0.02),
  keyRead: unread(0.03 / MILLION),
  apiCall: [{ upTo: 300 * MILLION, usd: 1 / MILLION }, { usd: 0.9 / MILLION }] as Tier[],
  functionCall: read(0.2 / MILLION),
  /** On arm64. */
  functionGbSecond: read(0.0000133334),
  readUnit: read(0.125 / MILLION),
  writeUnit: read(0.625 / MILLION),
  queueRequest: unread(0.4 / MILLION),
  /** S3's own, to EventBridge. */
  event: unread(1 / MILLION),
  /** Of Fargate on arm64. */
  vcpuHour: unread(0.03238),
  memoryGbHour: unread(0.00356),
  balancerHour: read(0.0225),
  /** One processes a GB in an hour. */
  balancerUnitHour: read(0.008),
  addressHour: read(0.005),
  endpointHour: read(0.01),
  logGb: unread(0.5),
  trace: unread(5 / MILLION),
  alarmMonth: unread(0.1),
  dashboardMonth: unread(3),
  secretMonth: unread(0.4),
}

export type Prices = typeof US_EAST_1

export const PRICES: Record<string, Prices> = { 'us-east-1': US_EAST_1 }

/** What every account has free of charge month after month, shared by everything in it. */
export const ALLOWANCES = {
  egressGb: 100,
  edgeOutGb: TB,
  edgeRequests: 10 * MILLION,
  edgeFunctions: 2 * MILLION,
  functionCalls: MILLION,
  queueRequests: MILLION,
  functionGbSeconds: 400_000,
  logGb: 5,
  traces: 100_000,
  alarms: 10,
  dashboards: 3,
}

/** @returns what so many units cost, each at the price of its tier */
export function tiered(amount: number, tiers: Tier[]): number {
  let usd = 0
  let from = 0
  for (const tier of tiers) {
    const end = tier.upTo ?? Number.POSITIVE_INFINITY
    usd += Math.max(0, Math.min(amount, end) - from) * tier.usd
    from = end
  }
  return usd
}
