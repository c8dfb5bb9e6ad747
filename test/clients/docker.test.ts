import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDocker } from './docker-daemon.ts'
import { AS_ADMIN } from './login.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
const docker = (command: string) => at.sh(`docker -H unix://$PWD/docker.sock ${command}`)

beforeAll(async () => {
  at = await openWorkplace()
  await startDocker(at)
  await docker(`login -u "$LOGIN" -p $PASSWORD ${at.host}`)
}, 120_000)
afterAll(() => at.close())

test('docker builds, pushes, pulls by tag and digest, and a second push moves no blob byte', async () => {
  await at.sh('head -c 500000 /dev/urandom > payload && tar cf image.tar payload')
  await docker(`import image.tar ${at.host}/library/docker:v1`)
  const pushed = await docker(`push ${at.host}/library/docker:v1`)
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? ''
  expect((await at.manifest('library/docker', 'v1')).digest).toBe(expected(digest))
  const before = at.registry.blobBytes
  await docker(`tag ${at.host}/library/docker:v1 ${at.host}/library/docker:v2`)
  await docker(`push ${at.host}/library/docker:v2`)
  expect(at.registry.blobBytes).toBe(before)
  await docker(`rmi -f ${at.host}/library/docker:v1 ${at.host}/library/docker:v2`)
  await docker(`pull ${at.host}/library/docker:v1`)
  await docker(`pull ${at.host}/library/docker@${digest}`)
  await docker(`create --name made ${at.host}/library/docker:v1 /payload`)
  await docker('cp made:/payload back')
  await at.sh('cmp payload back')
})

test('docker mounts layers from another repository instead of sending them', async () => {
  const before = at.registry.blobBytes
  await docker(`tag ${at.host}/library/docker:v1 ${at.host}/library/mounted:v1`)
  await docker(`push ${at.host}/library/mounted:v1`)
  expect(at.registry.blobBytes - before).toBeLessThan(3000) // the config
})

test.runIf(AS_ADMIN)('docker is told how to create a project that does not exist', async () => {
  await docker(`tag ${at.host}/library/docker:v1 ${at.host}/nowhere/docker:v1`)
  await expect(docker(`push ${at.host}/nowhere/docker:v1`)).rejects.toThrow('entrepot project create nowhere')
})

test('docker is denied a push without login', async () => {
  await docker(`logout ${at.host}`)
  await expect(docker(`push ${at.host}/library/docker:v1`)).rejects.toThrow(
    /authentication required|denied|unauthorized/,
  )
})
