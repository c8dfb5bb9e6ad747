// docs/openapi.yaml against a running registry. SABOTAGE=schemathesis has the proxy answer 500 where labels are listed.
import { beforeAll, expect, test } from 'vitest'
import { type Fuzzed, fuzz } from './fuzz.ts'
import { hasStatus, reached } from './reached.ts'

/** Random cases for each operation, besides the examples and the edges of the schemas. */
const RANDOM = 5
/** At most these are not reached with a 2xx, each for its reason. */
const UNREACHED = [
  // This registry has no private authority; test/certificates downloads one.
  'getCert',
  // No job of this registry has failed; test/api/jobs.test.ts has one that did.
  'retryJob',
]

let fuzzed: Fuzzed
beforeAll(async () => {
  fuzzed = await fuzz(RANDOM, process.env.SABOTAGE === 'schemathesis' ? 'ListLabels' : undefined)
}, 900_000)

test('no request makes the registry answer 5xx', () => {
  expect(fuzzed.answered.filter(({ status }) => status >= 500).slice(0, 10)).toEqual([])
})

test('schemathesis finds no status, header, media type or body that docs/openapi.yaml does not describe', () => {
  expect(fuzzed.passed, fuzzed.output).toBe(true)
})

test('every operation is reached with a 2xx but those that say why not', () => {
  const missing = reached(fuzzed.answered).filter((each) => !hasStatus(each, 2))
  expect(missing.map(({ operation }) => operation)).toEqual(UNREACHED)
})
