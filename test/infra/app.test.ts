// The program `cdk` runs, told of a wrong configuration.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const directory = mkdtempSync(path.join(tmpdir(), 'entrepot-app-'))
afterAll(() => rmSync(directory, { recursive: true }))

test.each([
  ['an unknown key', 'clowd: {}', 'unknown key "clowd"; known keys: '],
  [
    'an unknown key of cloud',
    'cloud: { frontdoor: alb }',
    'unknown key "cloud.frontdoor"; known keys of cloud: name, frontDoor',
  ],
  ['a wrong value', 'cloud: { logRetentionDays: 2 }', 'cloud.logRetentionDays is 2: expected one of 1, 3'],
  [
    'a part that is needed',
    'cloud: { frontDoor: alb }',
    'cloud.domain is missing: needed with frontDoor: alb',
  ],
])('%s in the file is told in one line', (_what, text, line) => {
  const file = path.join(directory, 'entrepot.yaml')
  writeFileSync(file, text)
  const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ config: file }), CDK_OUTDIR: directory }
  const ended = spawnSync(process.execPath, ['bin/app.ts'], { cwd: root, env, encoding: 'utf8' })
  expect(ended.status).toBe(2)
  expect(ended.stderr.trim().split('\n')).toHaveLength(1)
  expect(ended.stderr).toContain(`entrepot: ${line}`)
})
