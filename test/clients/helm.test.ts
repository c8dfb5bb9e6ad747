import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from './image.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(`echo $PASSWORD | helm registry login --plain-http -u "$LOGIN" --password-stdin ${at.host}`)
})
afterAll(() => at.close())

test('helm pushes a chart, shows it and pulls the same bytes', async () => {
  await at.sh(
    `helm create demo && helm package demo && helm push --plain-http demo-0.1.0.tgz oci://${at.host}/library`,
  )
  const chart = await readFile(path.join(at.directory, 'demo-0.1.0.tgz'))
  const { body } = await at.manifest('library/demo', '0.1.0')
  expect(body.config?.mediaType).toBe('application/vnd.cncf.helm.config.v1+json')
  expect(body.layers?.[0]?.digest).toBe(expected(sha256(chart)))
  expect(await at.sh(`helm show chart --plain-http oci://${at.host}/library/demo --version 0.1.0`)).toContain(
    'name: demo',
  )
  await at.sh(`mkdir back && helm pull --plain-http oci://${at.host}/library/demo --version 0.1.0 -d back`)
  const [file] = await readdir(path.join(at.directory, 'back'))
  expect(sha256(await readFile(path.join(at.directory, 'back', file!)))).toBe(expected(sha256(chart)))
})
