// What administrators can switch off by name is all that can be in the audit log.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { AUDITED_EVENTS } from '../../../lib/registry/audited-operations.ts'

const lib = path.resolve(import.meta.dirname, '../../../lib')

test('whatever kind of resource a deed is noted of, its events are among those that are listed', () => {
  const noted = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(path.join(lib, file), 'utf8').matchAll(/resourceType: '([\w-]+)'/g)])
    .map(([, kind]) => kind!)
  const listed = new Set(AUDITED_EVENTS.map((event) => event.slice(event.indexOf('_') + 1)))
  expect(noted).toContain('artifact')
  expect([...new Set(noted)].filter((kind) => !listed.has(kind))).toEqual([])
})
