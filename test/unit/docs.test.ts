import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { architecture } from '../docs.ts'

test('the key map in ARCHITECTURE.md is that of the code (npm run docs)', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/ARCHITECTURE.md'), 'utf8')
  expect(text).toContain('<!-- keys -->')
  expect(text).toBe(architecture())
})
