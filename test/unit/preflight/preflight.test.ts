// All checks together: what is skipped, what a line looks like, which versions of Node will do.
import { expect, test } from 'vitest'
import { cloudSchema } from '../../../lib/config/cloud.ts'
import type { Clients } from '../../../lib/preflight/clients.ts'
import { lineOf } from '../../../lib/preflight/finding.ts'
import { checkNodeVersion } from '../../../lib/preflight/node-version.ts'
import { preflight } from '../../../lib/preflight/preflight.ts'
import { answering } from './answering.ts'

test('without an account what needs it is skipped, and everything else is looked at', async () => {
  const untouched = answering(new Error('asked all the same'))
  const clients: Clients = {
    sts: answering(new Error('Token is expired'), 'us-east-1'),
    cloudformation: untouched,
    lambda: untouched,
    acm: () => untouched,
  }
  const surroundings = { clients, run: async () => 'arm64', node: '24.21.0', builder: undefined }
  const told: string[] = []
  const findings = await preflight(cloudSchema.parse({}), surroundings, ({ check }) => told.push(check))
  expect(findings.map(({ check, status }) => [check, status])).toEqual([
    ['node', 'ok'],
    ['image', 'ok'],
    ['account', 'fail'],
    ['bootstrap', 'skip'],
    ['concurrency', 'skip'],
    ['certificate', 'ok'],
  ])
  expect(told).toEqual(findings.map(({ check }) => check))
})

test('a finding is one line that ends in what to do', () => {
  expect(lineOf({ check: 'image', status: 'ok', found: 'docker builds it' })).toBe(
    'ok    image: docker builds it',
  )
  expect(lineOf({ check: 'node', status: 'fail', found: '20', todo: 'npm ci' })).toBe(
    'FAIL  node: 20 -> npm ci',
  )
})

test.each([
  ['22.18.0', 'fail'],
  ['24.0.0', 'ok'],
  ['26.1.0', 'ok'],
])('Node %s is %s', (version, status) => {
  expect(checkNodeVersion(version).status).toBe(status)
})
