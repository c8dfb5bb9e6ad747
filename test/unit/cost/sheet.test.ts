// The cost sheet: that it adds up, that more use never costs less, and that it agrees with what was worked out by hand.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CloudConfig, cloudSchema } from '../../../lib/config/cloud.ts'
import { ALLOWANCES, PRICES, tiered } from '../../../lib/cost/prices.ts'
import { costSheet, idleSheet, type Sheet, type Use } from '../../../lib/cost/sheet.ts'

const prices = PRICES['us-east-1']!
const USE: Use = {
  pushes: 2000,
  pulls: 20_000,
  gibStored: 50,
  gibPulled: 2000,
  gibPushed: 200,
  blobs: 4,
  streamedShare: 0,
  insideShare: 0,
}

const cloudOf = (cloud: object): CloudConfig => cloudSchema.parse(cloud)
const DOMAIN = { name: 'registry.example.com', certificateArn: 'arn:aws:acm:us-east-1:1:certificate/1' }
const DIRECT_ONLY = cloudOf({ ingest: 'off' })
const BALANCED = cloudOf({ frontDoor: 'alb', domain: DOMAIN })

const deployed = (cloud: CloudConfig, allowances = true) => ({ cloud, prices, allowances })
const costOf = (sheet: Sheet, what: string) => sheet.lines.find((line) => line.what === what)!.usd

const cloud = fc.constantFrom(
  cloudOf({}),
  DIRECT_ONLY,
  BALANCED,
  cloudOf({ privateNetworking: true, ingest: { min: 3, max: 5 } }),
)
const amount = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1_000_000_000 }))
const use: fc.Arbitrary<Use> = fc.record({
  pushes: amount,
  pulls: amount,
  gibStored: amount,
  gibPulled: amount,
  gibPushed: amount,
  blobs: fc.integer({ min: 1, max: 100 }),
  streamedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  insideShare: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('the total is the sum of the lines, and no line is negative', () => {
  fc.assert(
    fc.property(use, cloud, fc.boolean(), (given, deployment, allowances) => {
      const { lines, total } = costSheet(given, deployed(deployment, allowances))
      expect(total).toBeCloseTo(
        lines.reduce((sum, { usd }) => sum + usd, 0),
        6,
      )
      expect(lines.filter(({ usd }) => !(usd >= 0))).toEqual([])
    }),
  )
})

test.each(['pushes', 'pulls', 'gibStored', 'gibPulled', 'gibPushed', 'blobs'] as const)(
  'with more %s no line and no total is less',
  (input) => {
    fc.assert(
      fc.property(use, cloud, amount, (given, deployment, more) => {
        const less = costSheet(given, deployed(deployment))
        const greater = costSheet({ ...given, [input]: given[input] + more }, deployed(deployment))
        for (const [index, line] of greater.lines.entries())
          expect(line.usd).toBeGreaterThanOrEqual(less.lines[index]!.usd * (1 - 1e-12))
        expect(greater.total).toBeGreaterThanOrEqual(less.total * (1 - 1e-12))
      }),
    )
  },
)

test('what an account has free of charge makes nothing dearer', () => {
  fc.assert(
    fc.property(use, cloud, (given, deployment) => {
      const all = costSheet(given, deployed(deployment, false)).total
      expect(costSheet(given, deployed(deployment)).total).toBeLessThanOrEqual(all)
    }),
  )
})

test('bytes that stay within the region cost nothing', () => {
  const inside = costSheet({ ...USE, insideShare: 1 }, deployed(DIRECT_ONLY))
  expect(costOf(inside, 'data transfer')).toBe(0)
})

test('an idle deployment without ingest costs its secrets, its sweeps and a look for due jobs every minute, and nothing else', () => {
  const idle = idleSheet(USE, deployed(DIRECT_ONLY))
  const paid = idle.lines.filter(({ usd }) => usd > 0).map(({ what }) => what)
  expect(paid).toEqual(['DynamoDB', 'Fargate', 'public IPv4 addresses', 'secrets'])
  expect(costOf(idle, 'secrets')).toBeCloseTo(0.8)
  // Four sweeps a day of six minutes, 1 vCPU and 3 GB on arm64.
  expect(costOf(idle, 'Fargate')).toBeCloseTo((730 / 24) * 4 * 0.1 * (0.03238 + 3 * 0.00356), 6)
  expect(idle.total).toBeLessThan(1.5)
})

test('ingest adds its task and its load balancer to what idles: 7.21 and 16.43 for the smallest', () => {
  const smallest = cloudOf({ ingest: { min: 1, max: 1, cpu: 256, memoryMiB: 512 } })
  const [with_, without] = [smallest, DIRECT_ONLY].map((each) => idleSheet(USE, deployed(each)))
  expect(costOf(with_!, 'Fargate') - costOf(without!, 'Fargate')).toBeCloseTo(7.21, 2)
  expect(costOf(with_!, 'load balancer')).toBeCloseTo(16.43, 2)
  expect(costOf(without!, 'load balancer')).toBe(0)
})

test('the use of a small registry without ingest costs about the 2.30 that were worked out for it, transfer aside', () => {
  const sheet = costSheet(USE, deployed(DIRECT_ONLY, false))
  const idle = idleSheet(USE, deployed(DIRECT_ONLY, false))
  const worked = ['API Gateway', 'Lambda', 'DynamoDB', 'S3 storage', 'S3 requests', 'logs and traces']
  const sum = worked.reduce((total, what) => total + costOf(sheet, what) - costOf(idle, what), 0)
  expect(sum).toBeGreaterThan(2.3 * 0.8)
  expect(sum).toBeLessThan(2.3 * 1.2)
})

test('a load balancer as the front door has no edge, no API Gateway, and takes every byte pushed', () => {
  const sheet = costSheet(USE, deployed(BALANCED))
  for (const what of ['CloudFront requests', 'CloudFront bytes', 'key-value store', 'API Gateway'])
    expect(costOf(sheet, what)).toBe(0)
  expect(costOf(sheet, 'load balancer')).toBeGreaterThan(16.42 + 200 * 0.008)
})

test.each([
  ['50 GB stored', 50, 's3Storage', 1.15],
  ['2 TB stored', 2048, 's3Storage', 47.1],
  ['100 TB stored', 102_400, 's3Storage', 2304],
  ['1,400 million calls', 1.4e9, 'apiCall', 1400 - 110],
  ['2,000 GB out of S3', 2000 - ALLOWANCES.egressGb, 'egress', 171],
  ['40,000 GB out of S3', 40_000 - ALLOWANCES.egressGb, 'egress', 3443],
  ['1,000,000 GB out of S3', 1_000_000 - ALLOWANCES.egressGb, 'egress', 53_886],
  ['2,000 GB out of the edge', 2000 - ALLOWANCES.edgeOutGb, 'edgeOut', 83],
  ['40,000 GB out of the edge', 40_000 - ALLOWANCES.edgeOutGb, 'edgeOut', 3169],
] as const)('%s cost what the estimate by hand says', (_what, units, price, usd) => {
  expect(Math.abs(tiered(units, prices[price]) - usd)).toBeLessThan(1)
})
