// What goes wrong on the way: processes that are killed, targets that fail or answer nonsense, two registries that copy
// to each other.
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { harborOf, numberOf } from '../api/management.ts'
import { startServer } from '../support/server.ts'
import { HELD } from './front.ts'
import { openPlace, type Place } from './place.ts'

const MINUTE = 60_000
const SMALL = { layers: 1, layerBytes: 1000 }
const CHUNK = 10 * 2 ** 20

let at: Place
afterEach(() => at.close())
const here = (name: string) => `${at.server.host}/${name}`
const there = (name: string) => `${at.front.host}/${name}`
const named = (value: string) => [{ type: 'name', value }]

/** SIGKILL once so many bytes of uploads have come to the target. */
function killAfter(bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    at.front.onBytes = (received) => {
      if (received < bytes) return
      at.front.onBytes = () => {}
      at.killAndRestart().then(resolve, reject)
    }
  })
}

/** SIGKILL once the target has so many chunks or one more, and of the next nothing. */
async function killBetween(chunks: number): Promise<void> {
  const patches = (status: number) =>
    at.front.log.filter((each) => each.method === 'PATCH' && each.status === status).length
  const looking = { timeout: MINUTE, interval: 5 }
  await expect.poll(() => patches(202), looking).toBeGreaterThanOrEqual(chunks)
  const letThrough = at.front.break(/^PATCH /, { status: HELD })
  await expect.poll(() => patches(HELD), looking).toBe(1)
  await at.killAndRestart()
  letThrough()
}

// Docker's registry gives up an upload that a chunk of was cut off: there the process dies between two chunks.
test.each([
  ['docker-registry', 'between two chunks', killBetween, 3],
  ['entrepot', 'in the middle of a chunk', (chunks: number) => killAfter((chunks + 0.5) * CHUNK), 5],
] as const)(
  'a push to %s whose process is killed %s goes on there',
  async (other, _where, kill, chunks) => {
    at = await openPlace(other)
    const image = await at.image('large', { layers: 1, layerBytes: 8 * CHUNK, compression: 'none' })
    await at.push(image, here('library/large:v1'))
    if (process.env.SABOTAGE === 'replication-forgotten')
      at.front.break(/^GET .*\/blobs\/uploads\//, { status: 404 })
    // Slow enough that there is a chunk to be caught.
    const rule = { filters: named('library/large'), copy_by_chunk: true, speed: 40 * 1024 }
    const policy = await at.makeRule(rule)
    const killed = kill(chunks)
    const id = await at.start(policy)
    await killed
    expect((await at.ended(id)).status).toBe('Succeed')
    expect(await at.digest(there('library/large:v1'))).toBe(image.digest)
    // skopeo checks every digest on its way; the layers are not compressed, which crane takes for damage.
    await at.sh(`skopeo copy -q --src-tls-verify=false docker://${there('library/large:v1')} dir:arrived`)
    // At most the chunk that was under way, and the config with it, is sent again.
    expect(at.front.received()).toBeGreaterThanOrEqual(image.layerBytes)
    expect(at.front.received()).toBeLessThanOrEqual(image.layerBytes + CHUNK + 64 * 1024)
    expect(await at.logs(id)).toMatch(/goes on at byte \d+ of/)
  },
  4 * MINUTE,
)

test(
  'a pull whose process is killed asks for the rest of the blob only',
  async () => {
    at = await openPlace('docker-registry')
    const image = await at.image('large', { layers: 1, layerBytes: 160 * 2 ** 20, compression: 'none' })
    await at.push(image, there('theirs/large:v1'))
    const policy = await at.makeRule({
      src_registry: { id: at.registry },
      dest_registry: {},
      filters: named('theirs/large'),
      speed: 40 * 1024,
    })
    const id = await at.start(policy)
    await expect.poll(partArrived, { timeout: MINUTE, interval: 50 }).toBe(true)
    await at.killAndRestart()
    expect((await at.ended(id)).status).toBe('Succeed')
    expect(await at.digest(here('theirs/large:v1'))).toBe(image.digest)
    expect(await at.logs(id)).toMatch(/goes on at byte [1-9]\d+ of/)
    expect(at.front.log.some(({ path, status }) => path.includes('/blobs/') && status === 206)).toBe(true)
  },
  4 * MINUTE,
)

/** More than a part of the blob, and not all of it: parts have 64 MiB. */
function partArrived(): boolean {
  const root = at.server.dataDir
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).some((file) => {
    const stat = statSync(path.join(root, file), { throwIfNoEntry: false })
    return stat?.isFile() === true && stat.size > 70 * 2 ** 20
  })
}

test(
  'a target that fails for a while gets everything in the end',
  async () => {
    at = await openPlace('docker-registry')
    const image = await at.image('storm', { layers: 2, layerBytes: 2 * CHUNK, compression: 'none' })
    await at.push(image, here('library/storm:v1'))
    const policy = await at.makeRule({ filters: named('library/storm'), copy_by_chunk: true })
    at.front.break(/^PATCH /, { status: 502, body: '<html><body>Bad Gateway</body></html>', times: 3 })
    at.front.break(/^HEAD .*\/manifests\//, { status: 503, times: 1 })
    const { id, status } = await at.run(policy)
    expect(status, await at.logs(id)).toBe('Succeed')
    expect(await at.digest(there('library/storm:v1'))).toBe(image.digest)
  },
  4 * MINUTE,
)

test(
  'a target that answers pages of HTML fails, with its status in the log and no attempt too many',
  async () => {
    at = await openPlace('docker-registry')
    const image = await at.image('html', { layers: 1, layerBytes: 1000 })
    await at.push(image, here('library/html:v1'))
    const policy = await at.makeRule({ filters: named('library/html') })
    at.front.break(/./, {
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html>welcome</html>',
    })
    const { id, status } = await at.run(policy)
    expect(status).toBe('Failed')
    expect(await at.logs(id)).toMatch(/ERROR/)
    expect(await at.digest(here('library/html:v1'))).toBe(image.digest)
  },
  4 * MINUTE,
)

test(
  'two registries that copy to each other by events come to rest',
  async () => {
    at = await openPlace('entrepot')
    const other = await startServer({ args: ['--upstream-private-networks', '127.0.0.0/8,::1'] })
    try {
      const theirs = harborOf(other.url, 'admin')
      const to = await at.makeRegistry('peer', other.url)
      const rule = { filters: named('library/**'), trigger: { type: 'event_based' } }
      const ours = await at.makeRule({ ...rule, dest_registry: { id: to } })
      const back = numberOf(
        await theirs('POST', '/registries', { name: 'peer', type: 'harbor', url: at.server.url }),
      )
      const echo = { ...rule, name: 'echo', enabled: true, override: true, dest_registry: { id: back } }
      const backwards = numberOf(await theirs('POST', '/replication/policies', echo))
      const image = await at.image('echo', { layers: 1, layerBytes: 1000 })
      await at.push(image, here('library/echo:v1'))
      await expect
        .poll(() => at.digest(`${other.host}/library/echo:v1`), { timeout: MINUTE })
        .toBe(image.digest)
      const count = async () => [
        (await at.admin('GET', `/replication/executions?policy_id=${ours}`)).headers['x-total-count'],
        (await theirs('GET', `/replication/executions?policy_id=${backwards}`)).headers['x-total-count'],
      ]
      const settled = async (): Promise<unknown> => {
        const before = await count()
        await sleep(2000)
        const after = await count()
        return JSON.stringify(before) === JSON.stringify(after) ? after : settled()
      }
      expect(await at.digest(here('library/echo:v1'))).toBe(image.digest)
      // A newer push while the echo of the older one is under way is not undone by it.
      const [older, newer] = [await at.image('older', SMALL), await at.image('newer', SMALL)]
      await at.push(older, here('library/echo:v1'))
      await at.push(newer, here('library/echo:v1'))
      await expect
        .poll(() => at.digest(`${other.host}/library/echo:v1`), { timeout: MINUTE })
        .toBe(newer.digest)
      const executions = (await settled()) as string[]
      expect(Number(executions[0]) + Number(executions[1])).toBeLessThan(20)
      expect(await at.digest(here('library/echo:v1'))).toBe(newer.digest)
      expect(await at.digest(`${other.host}/library/echo:v1`)).toBe(newer.digest)
    } finally {
      await other.stop()
    }
  },
  2 * MINUTE,
)

test(
  'names do not grow from round to round between two registries',
  async () => {
    at = await openPlace('entrepot')
    const other = await startServer({ args: ['--upstream-private-networks', '127.0.0.0/8,::1'] })
    try {
      const theirs = harborOf(other.url, 'admin')
      const deeper = { trigger: { type: 'event_based' }, enabled: true, dest_namespace_replace_count: 0 }
      const to = await at.makeRegistry('peer', other.url)
      await at.makeRule({ ...deeper, dest_namespace: 'there', dest_registry: { id: to } })
      const back = numberOf(
        await theirs('POST', '/registries', { name: 'peer', type: 'harbor', url: at.server.url }),
      )
      const rule = { ...deeper, name: 'back', dest_namespace: 'here', dest_registry: { id: back } }
      const backwards = numberOf(await theirs('POST', '/replication/policies', rule))
      await at.push(await at.image('growing', SMALL), here('library/growing:v1'))
      const runs = async () =>
        (await theirs('GET', `/replication/executions?policy_id=${backwards}&status=Succeed`)).json.length
      await expect.poll(runs, { timeout: MINUTE }).toBeGreaterThan(0)
      const names = async (host: string) =>
        (await at.sh(`crane catalog --insecure ${host}`)).trim().split('\n')
      expect(await names(other.host)).toEqual(['there/library/growing'])
      expect(await names(at.server.host)).toEqual(['library/growing'])
    } finally {
      await other.stop()
    }
  },
  2 * MINUTE,
)
