// The functions as they are deployed: how large they are decides how long the first request waits.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bundle } from '../support/synthesis.ts'

const root = path.resolve(import.meta.dirname, '../..')
const outdir = mkdtempSync(path.join(tmpdir(), 'entrepot-bundles-'))
afterAll(() => rmSync(outdir, { recursive: true }))
const bundles = bundle(outdir)

const BUDGETS_BYTES: Record<string, number> = {
  // Of which a cache of other registries is 40,000, and the check of signatures 75,000, CBOR for a third of them.
  registry: 800_000,
  token: 800_000,
  // The whole of Harbor's API: nobody waits for it with a pull or a push under way.
  // An engine of regular expressions that cannot hang, for the filters of rules, is 110 KB of it and of the relay.
  management: 1_400_000,
  // Nobody waits for these.
  relay: 880_000,
  jobs: 1_000_000,
  setup: 750_000,
  probe: 500_000,
}

test.each(Object.keys(BUDGETS_BYTES))('the bundle of %s keeps within its budget', (name) => {
  expect(statSync(bundles[name]!).size).toBeLessThanOrEqual(BUDGETS_BYTES[name]!)
})

test('every handler is bundled, and none is longer than 40 lines', () => {
  const handlers = readdirSync(path.join(root, 'lambdas'))
  expect(handlers.sort()).toEqual(Object.keys(bundles).sort())
  for (const name of handlers) {
    const lines = readFileSync(path.join(root, 'lambdas', name, 'handler.ts'), 'utf8').split('\n')
    expect(lines.length, name).toBeLessThanOrEqual(40)
  }
})

test('what answers requests carries nothing that only other programs need', () => {
  const text = readFileSync(bundles.registry!, 'utf8')
  for (const foreign of [
    'aws-cdk-lib',
    'CloudFrontKeyValueStore',
    'DescribeServices',
    'SendMessage',
    'isCollection',
  ])
    expect(text.includes(foreign), foreign).toBe(false)
})
