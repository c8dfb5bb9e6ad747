// Which tags have a package, and who pulled them: by bills of materials that we made, and that people attached.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeUser, PASSWORD } from '../api/management.ts'
import { entrepot } from '../cli/command.ts'
import { openPlace, type Place } from './place.ts'

/** `entrepot` and the server's log are found by the data directory, which servers on other stores have not. */
const here = (process.env.TEST_STORES ?? 'local') === 'local'
let at: Place
beforeAll(async () => {
  if (!here) return
  at = await openPlace({ args: ['--trivy-skip-update', 'on', '--trivy-offline', 'on'] })
  await makeUser(at.admin, 'ada')
  for (const kind of ['three', 'thousand', 'index', 'clean'] as const) await at.publish(kind)
  for (const kind of ['three', 'thousand', 'index']) await described(kind)
})
afterAll(() => at?.close())

const artifact = (kind: string) => `/projects/library/repositories/${kind}/artifacts/v1`

async function described(kind: string) {
  await at.admin('POST', `${artifact(kind)}/scan`, { scan_type: 'sbom' })
  for (;;) {
    const { json } = await at.admin('GET', `${artifact(kind)}?with_sbom_overview=true`)
    if (json.sbom_overview?.scan_status === 'Success') return json
    await sleep(100)
  }
}

interface Affected {
  repository: string
  tags: string[]
  packages: string[]
  pulls: { principal: string; pulls: number; lastAtMs: number }[]
}

async function radius(...args: string[]): Promise<Affected[]> {
  const { code, stdout, stderr } = await entrepot([
    'blast-radius',
    ...args,
    '--json',
    '--data',
    at.server.dataDir,
  ])
  expect([0, 1], stderr).toContain(code)
  const found = JSON.parse(stdout) as Affected[]
  expect(code).toBe(found.length > 0 ? 1 : 0)
  return found
}
const named = (found: Affected[]) => found.map(({ repository, tags }) => `${repository}:${tags.join(',')}`)

test.runIf(here)(
  'images are found by a package, its source package and its version, with the tags of their indexes',
  async () => {
    const both = ['library/index:v1', 'library/three:v1']
    expect(named(await radius('openssl<3.0.17-1~deb12u3'))).toEqual(both)
    expect(named(await radius('libssl3=3.0.17-1~deb12u2'))).toEqual(both)
    expect(named(await radius('openssl>=3.0.17-1~deb12u3'))).toEqual([])
    expect((await radius('minimist<1.2.6', 'zlib1g'))[1]!.packages.toSorted()).toEqual([
      'deb zlib1g 1:1.2.13.dfsg-1',
      'npm minimist 1.2.5',
    ])
    // The index has one for another platform too.
    expect(named(await radius('harbourware-000'))).toEqual(['library/index:v1', 'library/thousand:v1'])
    expect(named(await radius('harbourware-000<1.0.1-r0'))).toEqual(['library/thousand:v1'])
    expect(await radius('no-such-package')).toEqual([])
  },
)

test.runIf(here)('who pulled them is named, how often and when', async () => {
  const before = Date.now()
  await at.sh(`
    mkdir -p ada && export DOCKER_CONFIG=$PWD/ada
    crane auth login ${at.server.host} -u ada -p ${PASSWORD} --insecure
    crane pull --insecure ${at.server.host}/library/three:v1 ada/three.tar
    crane pull --insecure ${at.server.host}/library/three:v1 ada/three.tar`)
  const pulls = async () =>
    (await radius('minimist<1.2.6')).find((each) => each.repository === 'library/three')!.pulls
  await expect.poll(async () => (await pulls()).find(({ principal }) => principal === 'ada')?.pulls).toBe(2)
  const ada = (await pulls()).find(({ principal }) => principal === 'ada')!
  expect(ada.lastAtMs).toBeGreaterThanOrEqual(before)
  const { stdout } = await entrepot(['blast-radius', 'minimist<1.2.6', '--data', at.server.dataDir])
  expect(stdout).toMatch(/library\/three:v1\tsha256:[0-9a-f]{64}\tnpm minimist 1\.2\.5/)
  expect(stdout).toMatch(/\tada\t2 pulls\t/)
  expect(stdout).toMatch(/2 images; pulled by \d+ in the last 30d/)
})

test.runIf(here)('what somebody attached counts too, until it is taken away', async () => {
  const { host } = at.server
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    components: [
      {
        type: 'library',
        name: 'log4j-core',
        version: '2.14.1',
        purl: 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
      },
    ],
  }
  await writeFile(path.join(at.directory, 'bom.json'), JSON.stringify(bom))
  const type = 'application/vnd.cyclonedx+json'
  await at.sh(`oras attach --plain-http --artifact-type ${type} ${host}/library/clean:v1 bom.json:${type}`)
  const found = () => radius('log4j-core<2.17').then(named)
  await expect.poll(found, { timeout: 20_000 }).toEqual(['library/clean:v1'])
  expect(await radius('log4j-core>=2.17')).toEqual([])
  const { referrers } = JSON.parse(
    await at.sh(`oras discover --plain-http --format json --artifact-type ${type} ${host}/library/clean:v1`),
  )
  await at.sh(`oras manifest delete --force --plain-http ${host}/library/clean@${referrers[0].digest}`)
  await expect.poll(found, { timeout: 20_000 }).toEqual([])
})

test.runIf(here)('what is deleted is not found any more', async () => {
  expect(named(await radius('harbourware-000<1.0.1-r0'))).toEqual(['library/thousand:v1'])
  expect((await at.admin('DELETE', artifact('thousand'))).status).toBe(200)
  expect(await radius('harbourware-000<1.0.1-r0')).toEqual([])
})

test.runIf(here)('a question that cannot be understood is refused', async () => {
  const run = (...args: string[]) => entrepot(['blast-radius', ...args, '--data', at.server.dataDir])
  expect((await run('openssl<')).code).toBe(2)
  expect((await run()).stdout).toContain('blast-radius PACKAGE')
  expect((await run('openssl', '--last', 'week')).stdout).toContain('--last takes hours or days')
})
