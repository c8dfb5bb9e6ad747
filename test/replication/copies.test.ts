// What is replicated is what was there: to and from another Entrepôt and Debian's docker-registry, as crane and skopeo
// see both ends.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPlace, type Place } from './place.ts'

const MINUTE = 60_000

describe.each(['docker-registry', 'entrepot'] as const)('%s', (other) => {
  let at: Place
  beforeAll(async () => {
    at = await openPlace(other)
  }, MINUTE)
  afterAll(() => at.close())
  const here = (name: string) => `${at.server.host}/${name}`
  const there = (name: string) => `${at.front.host}/${name}`
  const named = (value: string) => [{ type: 'name', value }]

  test(
    'an index arrives with all its platforms and with what refers to it and to its parts',
    async () => {
      const image = await at.image('index', {
        layers: 3,
        layerBytes: 300_000,
        architectures: ['amd64', 'arm64', 's390x'],
      })
      await at.push(image, here('library/index:v1'))
      await at.sh(`echo '{"spdx":1}' > sbom.json
      oras attach --plain-http --artifact-type application/spdx+json ${here('library/index:v1')} sbom.json`)
      const child = await at.sh(`crane digest --insecure --platform linux/arm64 ${here('library/index:v1')}`)
      await at.sh(`echo signed > signature
      oras attach --plain-http --artifact-type application/vnd.example.signature ${here(`library/index@${child.trim()}`)} signature`)
      const tag = image.digest.replace(':', '-')
      await at.sh(`crane copy --insecure ${here('library/index:v1')} ${here(`library/index:${tag}.sig`)}`)

      const policy = await at.makeRule({ filters: named('library/index') })
      expect((await at.run(policy)).status).toBe('Succeed')
      expect(await at.digest(there('library/index:v1'))).toBe(image.digest)
      await at.sh(`crane validate --insecure --remote ${there('library/index:v1')}`)
      const discover = (where: string) =>
        at.sh(
          `oras discover --plain-http --format json ${where} | grep -o '"digest": "sha256:[0-9a-f]*"' | sort`,
        )
      for (const reference of [':v1', `@${child.trim()}`])
        expect(await discover(there(`library/index${reference}`))).toBe(
          await discover(here(`library/index${reference}`)),
        )
      expect(await at.digest(there(`library/index:${tag}.sig`))).toBe(image.digest)
      expect(
        await at.sh(`skopeo inspect --raw --tls-verify=false docker://${there('library/index:v1')}`),
      ).toBe(await at.sh(`skopeo inspect --raw --tls-verify=false docker://${here('library/index:v1')}`))
    },
    MINUTE,
  )

  test(
    'a second run sends no byte of a blob, and puts no manifest',
    async () => {
      const policy = await at.makeRule({ filters: named('library/index') })
      const [bytes, seen] = [at.front.received(), at.front.log.length]
      expect((await at.run(policy)).status).toBe('Succeed')
      expect(at.front.received()).toBe(bytes)
      expect(at.front.log.slice(seen).filter(({ method }) => !['GET', 'HEAD'].includes(method))).toEqual([])
    },
    MINUTE,
  )

  test(
    'what another repository there has already is mounted',
    async () => {
      const image = await at.image('mounted', { layers: 2, layerBytes: 400_000 })
      await at.push(image, here('library/mounted-a:v1'))
      await at.run(await at.makeRule({ filters: named('library/mounted-*') }))
      await at.sh(`crane copy --insecure ${here('library/mounted-a:v1')} ${here('library/mounted-b:v1')}`)
      const bytes = at.front.received()
      await at.run(await at.makeRule({ filters: named('library/mounted-*') }))
      expect(await at.digest(there('library/mounted-b:v1'))).toBe(image.digest)
      expect(at.front.received()).toBe(bytes)
    },
    MINUTE,
  )

  test(
    'a pull brings all of it here, and again nothing',
    async () => {
      const image = await at.image('pulled', {
        layers: 2,
        layerBytes: 300_000,
        architectures: ['amd64', 'arm64'],
      })
      await at.push(image, there('theirs/app:v1'))
      const policy = await at.makeRule({
        src_registry: { id: at.registry },
        dest_registry: {},
        dest_namespace: 'ours',
        filters: named('theirs/**'),
      })
      expect((await at.run(policy)).status).toBe('Succeed')
      expect(await at.digest(here('ours/app:v1'))).toBe(image.digest)
      await at.sh(`crane validate --insecure --remote ${here('ours/app:v1')}`)
      const blobs = () =>
        at.front.log.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
      const before = blobs().length
      expect((await at.run(policy)).status).toBe('Succeed')
      expect(blobs()).toHaveLength(before)
    },
    MINUTE,
  )

  test(
    'filters choose tags by pattern, expression and version, and platforms',
    async () => {
      const image = await at.image('tags', { layers: 1, layerBytes: 1000, architectures: ['amd64', 'arm64'] })
      await at.push(image, here('library/tags:v1.2.0'))
      for (const tag of ['v1.9.1', 'v2.0.0', 'nightly-7', 'latest'])
        await at.sh(`crane tag --insecure ${here('library/tags:v1.2.0')} ${tag}`)
      const arriving = async (namespace: string, filters: object[]) => {
        const dest = { dest_namespace: namespace, filters: [...named('library/tags'), ...filters] }
        const { id, status } = await at.run(await at.makeRule(dest))
        expect(status, await at.logs(id)).toBe('Succeed')
        return (await at.sh(`crane ls --insecure ${there(`${namespace}/tags`)}`)).trim().split('\n').sort()
      }
      expect(await arriving('glob', [{ type: 'tag', value: '{v*,latest}' }])).toEqual([
        'latest',
        'v1.2.0',
        'v1.9.1',
        'v2.0.0',
      ])
      expect(await arriving('excluded', [{ type: 'tag', value: 'v*', decoration: 'excludes' }])).toEqual([
        'latest',
        'nightly-7',
      ])
      expect(await arriving('regex', [{ type: 'tag', value: 'regex:^nightly-\\d+$' }])).toEqual(['nightly-7'])
      expect(await arriving('semver', [{ type: 'tag', value: 'semver:^1.2' }])).toEqual(['v1.2.0', 'v1.9.1'])
      expect(
        await arriving('platform', [
          { type: 'platform', value: ['linux/arm64'] },
          { type: 'tag', value: 'latest' },
        ]),
      ).toEqual(['latest'])
      expect(await at.sh(`crane manifest --insecure ${there('platform/tags:latest')}`)).not.toContain('amd64')
      const platform = '--insecure --platform linux/arm64'
      expect(await at.sh(`crane digest ${platform} ${there('platform/tags:latest')}`)).toBe(
        await at.sh(`crane digest ${platform} ${here('library/tags:latest')}`),
      )
    },
    2 * MINUTE,
  )

  test(
    'a deletion follows where it is asked for',
    async () => {
      const image = await at.image('gone', { layers: 1, layerBytes: 1000 })
      const policy = {
        trigger: { type: 'event_based' },
        replicate_deletion: true,
        filters: named('library/gone'),
      }
      const id = await at.makeRule(policy)
      await at.push(image, here('library/gone:v1'))
      await expect.poll(() => at.digest(there('library/gone:v1')), { timeout: MINUTE }).toBe(image.digest)
      await at.sh(`crane delete --insecure ${here(`library/gone@${image.digest}`)}`)
      await expect.poll(() => at.digest(there('library/gone:v1')), { timeout: MINUTE }).toBeUndefined()
      expect((await at.admin('DELETE', `/replication/policies/${id}`)).status).toBe(200)
    },
    2 * MINUTE,
  )
})
