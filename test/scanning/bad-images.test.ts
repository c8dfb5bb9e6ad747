// Images made to hurt whoever looks into them: bombs, names and links that lead out, archives that are none.
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { makeImage } from '../clients/image.ts'
import { makeScannable } from './images.ts'
import { openPlace, type Place } from './place.ts'
import { cacheOf, scanAlone } from './watched.ts'

const MINUTE = 60_000
const SECRET = 'AKIAQ3EGRZ7PN5TWVX2L'
const MEBIBYTE = 1024 ** 2

let at: Place
let cache: string
let temporary: string
const before = process.env.TMPDIR
beforeAll(async () => {
  temporary = path.join(tmpdir(), `entrepot-bad-images-${process.pid}`)
  await mkdir(temporary)
  at = await openPlace()
  cache = await cacheOf(at)
  process.env.TMPDIR = temporary
})
afterAll(async () => {
  if (before === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = before
  await at.close()
  await rm(temporary, { recursive: true, force: true })
})
// Whatever becomes of a scan, nothing is left of it.
afterEach(async () => expect(await readdir(temporary)).toEqual([]))

/** Pushes an image of that one layer, which is gzip or says so, and scans it. */
async function scan(name: string, layer: Buffer, timeoutSeconds = 120) {
  const layout = path.join(at.directory, name)
  await makeImage(layout, { layers: 1, layerBytes: 8, stored: layer })
  await at.sh(`crane push --insecure ${layout} ${at.server.host}/library/${name}:v1`)
  return scanAlone(at, name, { cache, timeoutSeconds })
}

const file = (name: string, body: string) => ({
  header: { name, size: Buffer.byteLength(body), type: 'file' as const, mtime: new Date(0) },
  body,
})
const link = (name: string, linkname: string, type: 'symlink' | 'link' = 'symlink') => ({
  header: { name, size: 0, type, linkname, mtime: new Date(0) },
})

/** A file of that many zeros, as gzip lets it be written: one mebibyte, over and over. */
function bombOf(name: string, gibibytes: number): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write(`${(gibibytes * 1024 * MEBIBYTE - 512).toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const mebibyte = gzipSync(Buffer.alloc(MEBIBYTE), { level: 9 })
  return Buffer.concat([gzipSync(header), ...Array.from({ length: gibibytes * 1024 }, () => mebibyte)])
}

test.each([
  ['bomb-nobody-reads', 'var/bomb'],
  ['bomb-somebody-reads', 'app/package-lock.json'],
])(
  'a layer of eight megabytes that unpacks to eight gigabytes (%s) is scanned, or given up in time',
  async (name, inside) => {
    const layer = bombOf(inside, 8)
    expect(layer.length).toBeLessThan(10 * MEBIBYTE)
    const { report, fault = '' } = await scan(name, layer, 90)
    if (!report) expect(fault).toMatch(/too long|deadline|timeout|No space|killed/i)
  },
  5 * MINUTE,
)

test(
  'a layer of a hundred thousand files is scanned',
  async () => {
    const entries = Array.from({ length: 100_000 }, (_, each) => file(`srv/${each % 100}/${each}`, 'x\n'))
    expect((await scan('many', gzipSync(await packTar(entries)))).report?.vulnerabilities).toEqual([])
  },
  3 * MINUTE,
)

test('links and names that lead out of a layer read nothing of the host and write nothing there', async () => {
  const victim = path.join(at.directory, 'victim')
  await writeFile(victim, `aws_access_key_id = ${SECRET}\n`)
  const up = '../'.repeat(12)
  const written = path.join(at.directory, 'written')
  const layer = await packTar([
    link('etc/os-release', `${up}etc/os-release`),
    link('etc/debian_version', '/etc/debian_version'),
    link('var/lib/dpkg/status', `${up}var/lib/dpkg/status`),
    link('root/.aws/credentials', victim),
    link('root/.aws/config', `${up}${victim.slice(1)}`, 'link'),
    link('out', at.directory),
    file('out/written', 'x'),
    file(`${up}${written.slice(1)}`, 'x'),
    file(written, 'x'),
  ])
  const { report, log } = await scan('links', gzipSync(layer))
  expect(report).toMatchObject({ vulnerabilities: [], findings: [] })
  expect(JSON.stringify(report) + log).not.toContain(SECRET)
  await expect(stat(written)).rejects.toThrow('ENOENT')
  expect(await readFile(victim, 'utf8')).toContain(SECRET)
})

test('an image that calls its layer by another one’s name hides nothing of that one', async () => {
  const empty = gzipSync(await packTar([file('etc/empty', '')]))
  const liar = await makeScannable(at.directory, 'three', empty)
  await at.sh(`crane push --insecure ${liar.layout} ${at.server.host}/library/liar:v1`)
  expect((await scanAlone(at, 'liar', { cache })).report?.vulnerabilities).toEqual([])
  await at.publish('three')
  expect((await scanAlone(at, 'three', { cache })).report?.vulnerabilities).toHaveLength(3)
})

test.each([
  ['no-gzip', Buffer.from('this is no archive'), /gzip|tar|archive|EOF/],
  ['no-tar', gzipSync(Buffer.from('this is no archive'.repeat(100))), /tar/],
  ['cut', gzipSync(Buffer.from(`${Math.random()}`.repeat(1000))).subarray(0, 60), /EOF|tar/],
])('a layer that is %s fails its scan with the reason', async (name, layer, why) => {
  const { fault } = await scan(name, layer)
  expect(fault).toMatch(why)
})
