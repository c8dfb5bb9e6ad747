// What a rule chooses: by labels and kinds, artifacts without a tag, whole repositories that go, and one run at a time.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { numberOf } from '../api/management.ts'
import { entrepot } from '../cli/command.ts'
import { openPlace, type Place } from './place.ts'

const MINUTE = 60_000
const SMALL = { layers: 1, layerBytes: 1000 }

describe.each(['docker-registry', 'entrepot'] as const)('%s', (other) => {
  let at: Place
  beforeAll(async () => {
    at = await openPlace(other)
  }, MINUTE)
  afterAll(() => at.close())
  const here = (name: string) => `${at.server.host}/${name}`
  const there = (name: string) => `${at.front.host}/${name}`
  const named = (value: string) => ({ type: 'name', value })
  const pushed = async (name: string) => {
    const image = await at.image(name.replaceAll(/\W/g, '-'), SMALL)
    await at.push(image, here(`library/${name}`))
    return image.digest
  }
  /** Runs a rule of those filters. @returns tags that arrived */
  const arriving = async (namespace: string, repository: string, filters: object[]) => {
    const rule = { dest_namespace: namespace, filters: [named(`library/${repository}`), ...filters] }
    const { id, status } = await at.run(await at.makeRule(rule))
    expect(status, await at.logs(id)).toBe('Succeed')
    const listed = await at.sh(`crane ls --insecure ${there(`${namespace}/${repository}`)} || true`)
    return listed.split('\n').filter(Boolean).sort()
  }

  test(
    'a label filter copies what has all of the labels, and an excluding one what has not',
    async () => {
      for (const tag of ['both', 'one', 'none']) await pushed(`labelled:${tag}`)
      const label = async (name: string) =>
        numberOf(await at.admin('POST', '/labels', { name: `${name}-${other}`, scope: 'g' }))
      const [stable, signed] = [await label('stable'), await label('signed')]
      const give = (tag: string, id: number) =>
        at.admin('POST', `/projects/library/repositories/labelled/artifacts/${tag}/labels`, { id })
      for (const [tag, id] of [
        ['both', stable],
        ['both', signed],
        ['one', stable],
      ] as const)
        expect((await give(tag, id)).status).toBe(200)
      const value = [`stable-${other}`, `signed-${other}`]
      expect(await arriving('all-labels', 'labelled', [{ type: 'label', value }])).toEqual(['both'])
      expect(
        await arriving('no-labels', 'labelled', [{ type: 'label', value, decoration: 'excludes' }]),
      ).toEqual(['none', 'one'])
    },
    2 * MINUTE,
  )

  test(
    'a resource filter tells images from other artifacts',
    async () => {
      await pushed('kinds:image')
      await at.sh(`echo '{}' > model.json
      oras push --plain-http --artifact-type application/vnd.example.model ${here('library/kinds:model')} model.json`)
      expect(await arriving('images', 'kinds', [{ type: 'resource', value: 'image' }])).toEqual(['image'])
      expect(await arriving('artifacts', 'kinds', [{ type: 'resource', value: 'artifact' }])).toEqual([
        'model',
      ])
      expect(await arriving('whatever', 'kinds', [{ type: 'resource', value: '' }])).toEqual([
        'image',
        'model',
      ])
    },
    2 * MINUTE,
  )

  test(
    'what has no tag is copied by its digest, by rules whose tag filter takes it',
    async () => {
      const digest = await pushed('untagged:v1')
      await pushed('untagged:v2')
      // An index's manifests have no tag either, and are nothing of their own.
      const index = await at.image('untagged-index', { ...SMALL, architectures: ['amd64', 'arm64'] })
      await at.push(index, here('library/untagged:index'))
      await at.sh(`crane delete --insecure ${here('library/untagged:v1')}`)
      const arrived = (namespace: string) => at.digest(there(`${namespace}/untagged@${digest}`))
      const tag = (value: string, decoration = '') => [{ type: 'tag', value, decoration }]

      expect(await arriving('unfiltered', 'untagged', [])).toEqual(['index', 'v2'])
      expect(await arrived('unfiltered')).toBe(digest)
      await arriving('anything', 'untagged', tag('**'))
      expect(await arrived('anything')).toBe(digest)
      expect(await arriving('excluded', 'untagged', tag('v*', 'excludes'))).toEqual(['index'])
      expect(await arrived('excluded')).toBe(digest)
      expect(await arriving('tagged', 'untagged', tag('v*'))).toEqual(['v2'])
      expect(await arrived('tagged')).toBeUndefined()
      const rows = (await at.admin('GET', '/replication/executions?page_size=100')).json
      // v2, the index, and the one without a tag; and the plan.
      expect(rows.map(({ total }: { total: number }) => total).slice(0, 4)).toEqual([2, 3, 4, 4])
    },
    2 * MINUTE,
  )

  test(
    'an event copies a push by digest, and takes it away again',
    async () => {
      const image = await at.image('by-digest', SMALL)
      const name = `library/by-digest@${image.digest}`
      const rule = { filters: [named('library/by-digest')], trigger: { type: 'event_based' } }
      await at.makeRule({ ...rule, replicate_deletion: true })
      await at.push(image, here(name))
      await expect.poll(() => at.digest(there(name)), { timeout: MINUTE }).toBe(image.digest)
      await at.sh(`crane delete --insecure ${here(name)}`)
      await expect.poll(() => at.digest(there(name)), { timeout: MINUTE }).toBeUndefined()
    },
    2 * MINUTE,
  )

  test(
    'a repository that is deleted goes at the destination too, as far as the rule copies it, and an undo brings it back there',
    async () => {
      const rule = {
        filters: [named('library/whole'), { type: 'tag', value: 'v*' }],
        trigger: { type: 'event_based' },
        replicate_deletion: true,
      }
      await at.makeRule(rule)
      const digests = { v1: await pushed('whole:v1'), v2: await pushed('whole:v2') }
      const kept = await pushed('whole:theirs')
      await at.sh(`crane copy --insecure ${here('library/whole:theirs')} ${there('library/whole:theirs')}`)
      for (const [tag, digest] of Object.entries(digests))
        await expect.poll(() => at.digest(there(`library/whole:${tag}`)), { timeout: MINUTE }).toBe(digest)
      expect((await at.admin('DELETE', '/projects/library/repositories/whole')).status).toBe(200)
      for (const tag of Object.keys(digests))
        await expect.poll(() => at.digest(there(`library/whole:${tag}`)), { timeout: MINUTE }).toBeUndefined()
      expect(await at.digest(there('library/whole:theirs'))).toBe(kept)
      const undone = await entrepot(['undo', 'library/whole', '--data', at.server.dataDir])
      expect([undone.code, undone.stderr]).toEqual([0, ''])
      for (const [tag, digest] of Object.entries(digests))
        await expect.poll(() => at.digest(there(`library/whole:${tag}`)), { timeout: MINUTE }).toBe(digest)
    },
    2 * MINUTE,
  )

  test(
    'where only one run may be active, another one fails while it goes on, in Harbor’s words',
    async () => {
      const image = await at.image('single', { layers: 1, layerBytes: 4_000_000, compression: 'none' })
      await at.push(image, here('library/single:v1'))
      const rule = await at.makeRule({
        filters: [named('library/single')],
        speed: 100,
        single_active_replication: true,
      })
      const [first, second] = await Promise.all([at.start(rule), at.start(rule)])
      const [older, newer] = [Math.min(first, second), Math.max(first, second)]
      expect((await at.ended(newer)).status).toBe('Failed')
      expect(await at.logs(newer)).toContain('Execution skipped: active replication still in progress')
      const { status } = (await at.admin('GET', `/replication/executions/${older}`)).json
      expect(status).toBe('InProgress')
      await at.admin('PUT', `/replication/executions/${older}`)
      expect((await at.ended(older)).status).toBe('Stopped')
    },
    2 * MINUTE,
  )
})
