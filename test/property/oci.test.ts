import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RegistryError } from '../../lib/oci/errors.ts'
import { parseRange } from '../../lib/oci/range.ts'
import { isName } from '../../lib/oci/reference.ts'
import { parseRoute } from '../../lib/oci/routes.ts'
import { parseStrictJson } from '../../lib/oci/strict-json.ts'

test('a satisfiable range is what slicing the bytes gives', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.option(fc.nat(60)), fc.option(fc.nat(60)), (size, first, last) => {
      fc.pre(first !== null || last !== null)
      const bytes = Array.from({ length: size }, (_, index) => index)
      const wanted =
        first === null
          ? bytes.slice(last === 0 ? size : -last!)
          : bytes.slice(first, last === null ? undefined : last + 1)
      const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size)
      if (wanted.length === 0) expect(range).toBe('unsatisfiable')
      else expect(range).toEqual({ start: wanted[0], end: wanted.at(-1) })
    }),
    { numRuns: 2000 },
  )
})

const segment = fc.oneof(
  fc.constantFrom(
    'v2',
    'blobs',
    'uploads',
    'manifests',
    'tags',
    'list',
    'referrers',
    '_catalog',
    '..',
    '.',
    '',
    '%2e%2e',
    '%2F',
    '%00',
    '%',
    'a',
    'A',
    `sha256:${'0'.repeat(64)}`,
    `sha256%3A${'0'.repeat(64)}`,
  ),
  fc.string({ maxLength: 12 }),
)

test('whatever the path, routing gives a valid name or a clear refusal', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
      try {
        const route = parseRoute(`/v2/${segments.join('/')}`)
        if (route && 'name' in route) expect(isName(route.name)).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(RegistryError)
        expect((error as RegistryError).status).toBe(400)
      }
    }),
    { numRuns: 5000 },
  )
})

test('strict JSON is JSON: what it accepts means the same, and valid JSON without repeated keys is accepted', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text))
    }),
    { numRuns: 1000 },
  )
})

test('a repeated key is found wherever it is', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), fc.nat(10), (key, one, other, depth) => {
      const pair = `{${JSON.stringify(key)}:${JSON.stringify(one)},${JSON.stringify(key)} : ${JSON.stringify(other)}}`
      const text = `${'[1,'.repeat(depth)}${pair}${']'.repeat(depth)}`
      expect(() => parseStrictJson(Buffer.from(text))).toThrow('twice')
    }),
    { numRuns: 1000 },
  )
})
