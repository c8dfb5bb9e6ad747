// Databases that are missing, old or broken: what a scan says of them, and that it does not stay so.
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openPlace, type Place } from './place.ts'
import { cacheOf, scanAlone } from './watched.ts'

let at: Place
let cache: string
beforeAll(async () => {
  at = await openPlace()
  await at.publish('three')
})
afterAll(() => at.close())
let number = 0
beforeEach(async () => {
  number += 1
  cache = await cacheOf(at, `cache-${number}`)
})

const file = (name: string) => path.join(cache, 'db', name)
const kept = () => scanAlone(at, 'three', { cache })
const renewed = () => scanAlone(at, 'three', { cache, skipUpdate: false, databaseRepository: at.databaseAt })

async function breakDatabase(how: 'cut in half' | 'garbage'): Promise<void> {
  const bytes = await readFile(file('trivy.db'))
  const broken = how === 'garbage' ? Buffer.alloc(bytes.length, 'x') : bytes.subarray(0, bytes.length / 2)
  await writeFile(file('trivy.db'), broken)
  // A database this young is not downloaded again by trivy itself.
  const metadata = JSON.parse(await readFile(file('metadata.json'), 'utf8'))
  const young = { ...metadata, NextUpdate: '2099-01-01T00:00:00Z', DownloadedAt: new Date().toISOString() }
  await writeFile(file('metadata.json'), JSON.stringify(young))
}

test('where there is no database and none may be downloaded, that is said', async () => {
  await rm(path.join(cache, 'db'), { recursive: true })
  expect((await kept()).fault).toBe(
    `trivy has no database in ${cache}, and may not download one: put it there, or set trivySkipUpdate to off`,
  )
})

test.each(['cut in half', 'garbage'] as const)(
  'a database that is %s is said to be unreadable, and the next attempt has a new one',
  async (how) => {
    await breakDatabase(how)
    const { fault = '' } = await kept()
    expect(fault).toContain(`trivy cannot read its database in ${cache}`)
    expect(fault.length).toBeLessThan(1000)
    const failed = await renewed()
    expect(failed.fault).toMatch(how === 'garbage' ? /invalid database/ : /it crashed: .*bbolt/)
    expect(failed.log).toContain('its database cannot be read: the next attempt downloads it again')
    expect((await renewed()).report?.vulnerabilities).toHaveLength(3)
  },
)

test('an old database is used where it has to be, and its age stands in the log', async () => {
  const metadata = JSON.parse(await readFile(file('metadata.json'), 'utf8'))
  const old = { ...metadata, UpdatedAt: '2025-01-01T00:00:00Z', NextUpdate: '2025-01-02T00:00:00Z' }
  await writeFile(file('metadata.json'), JSON.stringify(old))
  const { report, log } = await kept()
  expect(report?.vulnerabilities).toHaveLength(3)
  expect(new Date(report!.databaseAtMs!).toISOString()).toBe('2025-01-01T00:00:00.000Z')
  expect(log).toMatch(/its database is \d{3,} days old/)
})

test('metadata that nobody can read are downloaded again', async () => {
  await writeFile(file('metadata.json'), '{')
  expect((await renewed()).report?.vulnerabilities).toHaveLength(3)
})
