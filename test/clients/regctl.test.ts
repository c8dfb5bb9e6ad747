import { afterAll, beforeAll, expect, test } from 'vitest'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(
    `regctl registry set --tls disabled ${at.host} && echo $PASSWORD | regctl registry login ${at.host} -u "$LOGIN" --pass-stdin`,
  )
})
afterAll(() => at.close())

test('regctl imports a multi-architecture layout and reads it back', async () => {
  const image = await at.image('multi', {
    layers: 2,
    layerBytes: 50_000,
    architectures: ['amd64', 'arm64', 's390x'],
  })
  await at.sh(`regctl image copy ocidir://${image.layout}:v1 ${at.host}/library/regctl:v1`)
  expect((await at.sh(`regctl image digest ${at.host}/library/regctl:v1`)).trim()).toBe(
    expected(image.digest),
  )
  await at.sh(`regctl image copy ${at.host}/library/regctl:v1 ocidir://back:v1`)
  const before = at.registry.blobBytes
  await at.sh(`regctl image copy ocidir://${image.layout}:v1 ${at.host}/library/regctl:v2`)
  expect(at.registry.blobBytes).toBe(before)
})

test('regctl copies by mount, puts an artifact with a subject, and deletes a tag alone', async () => {
  const before = at.registry.blobBytes
  await at.sh(`regctl image copy ${at.host}/library/regctl:v1 ${at.host}/library/regctl-copy:v1`)
  expect(at.registry.blobBytes).toBe(before)
  await at.sh(
    `echo '{}' | regctl artifact put --artifact-type application/vnd.example.sbom --subject ${at.host}/library/regctl:v1`,
  )
  expect(await at.sh(`regctl artifact list ${at.host}/library/regctl:v1`)).toContain(
    'application/vnd.example.sbom',
  )
  await at.sh(`regctl tag delete ${at.host}/library/regctl:v2`)
  expect((await at.sh(`regctl tag ls ${at.host}/library/regctl`)).trim()).toBe('v1')
})
