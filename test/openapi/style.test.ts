// docs/openapi.yaml by Redocly's linter, with the rules of style.yaml. Nothing is fetched.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, test } from 'vitest'

const file = path.resolve(import.meta.dirname, '../../docs/openapi.yaml')

/** SABOTAGE=openapi-style lints a document whose operations say nothing of what they do. */
function source(): string {
  const text = readFileSync(file, 'utf8')
  return process.env.SABOTAGE === 'openapi-style' ? text.replaceAll(/^ +summary: .*\n/gm, '') : text
}

test('docs/openapi.yaml has the style that style.yaml asks for', async () => {
  const config = await createConfig(readFileSync(path.join(import.meta.dirname, 'style.yaml'), 'utf8'))
  const problems = await lintFromString({ source: source(), absoluteRef: file, config })
  const told = problems.map(({ ruleId, message, location: [place] }) => [ruleId, message, place?.pointer])
  expect(told).toEqual([])
})
