import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from './image.ts'
import { AS_ADMIN } from './login.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
const model = {
  'weights.safetensors': randomBytes(3_000_000),
  'tokenizer.json': Buffer.from('{}'),
  'README.md': Buffer.from('# model'),
}
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(`echo $PASSWORD | oras login --plain-http -u "$LOGIN" --password-stdin ${at.host}`)
  for (const [name, bytes] of Object.entries(model)) await writeFile(path.join(at.directory, name), bytes)
})
afterAll(() => at.close())

test('oras pushes a model of several files and pulls the same bytes', async () => {
  await at.sh(
    `oras push --plain-http --artifact-type application/vnd.example.model ${at.host}/library/model:v1 ${Object.keys(model).join(' ')}`,
  )
  const { body } = await at.manifest('library/model', 'v1')
  expect(body.layers?.map((layer) => layer.digest).sort()).toEqual(
    Object.values(model).map(sha256).map(expected).sort(),
  )
  await at.sh(`mkdir back && cd back && oras pull --plain-http ${at.host}/library/model:v1`)
  for (const [name, bytes] of Object.entries(model))
    expect((await readFile(path.join(at.directory, 'back', name))).equals(bytes)).toBe(true)
})

test('an SBOM and a signature attached by oras are listed as referrers, filtered by type', async () => {
  await writeFile(path.join(at.directory, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}')
  await writeFile(path.join(at.directory, 'signature.bin'), randomBytes(64))
  const subject = (await at.manifest('library/model', 'v1')).digest
  for (const [type, file] of [
    ['application/spdx+json', 'sbom.json'],
    ['application/vnd.example.signature', 'signature.bin'],
  ])
    await at.sh(
      `oras attach --plain-http --artifact-type ${type} ${at.host}/library/model@${subject} ${file}`,
    )
  const listed = await at.referrers('library/model', subject)
  expect(listed.map((each) => each.artifactType).sort()).toEqual([
    'application/spdx+json',
    'application/vnd.example.signature',
  ])
  const discovered = await at.sh(
    `oras discover --plain-http --format json --artifact-type application/spdx+json ${at.host}/library/model@${subject}`,
  )
  expect(discovered).toContain(listed.find((each) => each.artifactType === 'application/spdx+json')!.digest)
  expect(discovered).not.toContain('example.signature')
})

test('oras copies an artifact with its referrers, lists repositories and tags, and deletes', async () => {
  await at.sh(
    `oras cp -r --from-plain-http --to-plain-http ${at.host}/library/model:v1 ${at.host}/library/model-copy:v1`,
  )
  const subject = (await at.manifest('library/model', 'v1')).digest
  expect(await at.referrers('library/model-copy', subject)).toHaveLength(2)
  if (AS_ADMIN) expect(await at.sh(`oras repo ls --plain-http ${at.host}`)).toContain('library/model-copy')
  expect((await at.sh(`oras repo tags --plain-http ${at.host}/library/model-copy`)).trim()).toBe('v1')
  await at.sh(`oras manifest delete --plain-http -f ${at.host}/library/model-copy@${subject}`)
  await expect(at.manifest('library/model-copy', 'v1')).rejects.toThrow('404')
})
