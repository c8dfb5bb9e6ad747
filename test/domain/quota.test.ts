// Quota: a push that would take a project beyond it is refused with the numbers; what is there already costs nothing.
import { expect, test } from 'vitest'
import { copyArtifact } from '../../lib/artifacts/copy-artifact.ts'
import { changeProject } from '../../lib/registry/project-changes.ts'
import { createProject, findProject } from '../../lib/registry/projects.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { relay } from '../../lib/registry/relay.ts'
import { countedBytes } from '../../lib/registry/usage.ts'
import { ACTOR, pushImage, testRegistry } from './registry.ts'

async function counted(registry: Registry, name: string): Promise<number> {
  while ((await relay(registry)) > 0);
  return countedBytes(registry, (await findProject(registry, name))!.id)
}

async function limit(registry: Registry, name: string, quotaBytes: number): Promise<void> {
  await changeProject(registry, (await findProject(registry, name))!, () => ({ quotaBytes }))
}

test('a push beyond the quota is refused, saying how much it adds, how much there is, and the limit', async () => {
  const registry = await testRegistry()
  await pushImage(registry, 'library/app', 'v1')
  const used = await counted(registry, 'library')
  await limit(registry, 'library', used + 10)
  await expect(pushImage(registry, 'library/other', 'v1', { layer: 'another layer' })).rejects.toMatchObject({
    code: 'DENIED',
    status: 403,
    message: expect.stringMatching(
      new RegExp(
        `^adding .* current usage of ${used} B will exceed the configured upper limit of ${used + 10} B`,
      ),
    ),
  })
  expect(await counted(registry, 'library')).toBe(used)
  await limit(registry, 'library', used * 10)
  await pushImage(registry, 'library/other', 'v1', { layer: 'another layer' })
})

test('what a project holds already adds nothing to it: a full one takes the same image again', async () => {
  const registry = await testRegistry()
  await pushImage(registry, 'library/app', 'v1')
  await limit(registry, 'library', await counted(registry, 'library'))
  await pushImage(registry, 'library/app', 'v2')
  await pushImage(registry, 'library/same', 'v1')
})

test('a copy into a full project is refused as a push is', async () => {
  const registry = await testRegistry()
  await pushImage(registry, 'library/app', 'v1')
  await createProject(registry, 'small', { quotaBytes: 5 }, ACTOR)
  const from = { repository: 'library/app', reference: { kind: 'tag', tag: 'v1' } } as const
  await expect(copyArtifact(registry, from, 'small/app', ACTOR)).rejects.toThrow('will exceed the configured')
  expect(await counted(registry, 'small')).toBe(0)
})
