import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROUTES } from '../../lib/http/harbor/routes.ts'
import { architecture } from '../docs.ts'
import { openApi } from '../openapi/document.ts'

test('the key map in ARCHITECTURE.md is that of the code (npm run docs)', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/ARCHITECTURE.md'), 'utf8')
  expect(text).toContain('<!-- keys -->')
  expect(text).toBe(architecture())
})

test('docs/openapi.yaml has every route of the management API, and is a valid document (npm run docs)', async () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/openapi.yaml'), 'utf8')
  expect(text).toBe(openApi())
  expect(await new Validator().validate(parse(text))).toMatchObject({ valid: true })
  const { paths } = parse(text) as { paths: Record<string, Record<string, { operationId: string }>> }
  const ids = Object.values(paths).flatMap((each) =>
    Object.values(each).map(({ operationId }) => operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(ROUTES.length)
})
