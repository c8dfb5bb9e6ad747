// The rule on vulnerabilities, in Harbor's words (goharbor/harbor v2.14: src/server/middleware/vulnerable).
import { beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../lib/oci/digest.ts'
import { putSystemAllowlist } from '../../lib/registry/system-allowlist.ts'
import { pushIndex, type TestRegistry, testRegistry } from '../domain/registry.ts'
import { type Found, IMAGE_CONFIG, NAME, pull, pushParts, pushRunnable, scanned, setPolicy } from './place.ts'

const BLOCKED = `cannot be pulled due to configured policy in 'Prevent images with vulnerability severity of "High" or higher from running.'`
const HIGH: Record<string, string> = { prevent_vul: 'true', severity: 'high' }
const FOUND: Found[] = [
  ['CVE-2026-1', 'Critical'],
  ['CVE-2026-2', 'High'],
  ['CVE-2026-3', 'Medium'],
]

let registry: TestRegistry
let image: Digest

beforeEach(async () => {
  registry = await testRegistry()
  image = await pushRunnable(registry, 'v1')
})

const allow = (cves: string[], expiresAtSeconds?: number) =>
  setPolicy(
    registry,
    { ...HIGH, reuse_sys_cve_allowlist: 'false' },
    { cves, ...(expiresAtSeconds === undefined ? {} : { expiresAtSeconds }) },
  )

test('an image that was not scanned, or whose scan failed, cannot be pulled where vulnerable ones cannot', async () => {
  expect(await pull(registry, image)).toBe('pulled')
  await setPolicy(registry, HIGH)
  expect(await pull(registry, image)).toContain(`current image without vulnerability scanning ${BLOCKED}`)
  await scanned(registry, image, [])
  expect(await pull(registry, image)).toBe('pulled')
})

test('the threshold and what is worse forbid a pull, and the refusal names counts, the worst, and what to do', async () => {
  await setPolicy(registry, HIGH)
  await scanned(registry, image, FOUND)
  const text = await pull(registry, image)
  expect(text).toContain(`current image with 2 vulnerabilities ${BLOCKED}`)
  for (const part of [
    '1 Critical, 1 High',
    'CVE-2026-1 (Critical, openssl 1.0, fixed in 1.1)',
    'CVE allowlist',
  ])
    expect(text).toContain(part)
  expect(text).not.toContain('CVE-2026-3')
  await setPolicy(registry, { ...HIGH, prevent_vul: 'false' })
  expect(await pull(registry, image)).toBe('pulled')
  await scanned(registry, image, FOUND.slice(2))
  await setPolicy(registry, HIGH)
  expect(await pull(registry, image)).toBe('pulled')
})

test('what the project allows counts there, and what the system allows in projects without a list of their own', async () => {
  await scanned(registry, image, FOUND)
  await allow(['CVE-2026-1'])
  expect(await pull(registry, image)).toContain('current image with 1 vulnerability cannot')
  await allow(['CVE-2026-1', 'CVE-2026-2'])
  expect(await pull(registry, image)).toBe('pulled')
  await setPolicy(registry, HIGH)
  expect(await pull(registry, image)).toContain('2 vulnerabilities')
  await putSystemAllowlist(registry, { cves: ['CVE-2026-1', 'CVE-2026-2'] })
  expect(await pull(registry, image)).toBe('pulled')
})

test('an allowlist ends at its second of UTC, wherever it is midnight, and a verdict kept before ends with it', async () => {
  await scanned(registry, image, FOUND)
  for (const zone of ['Pacific/Kiritimati', 'Pacific/Niue']) {
    process.env.TZ = zone
    const endSeconds = registry.clock.now / 1000 + 3600
    await allow(['CVE-2026-1', 'CVE-2026-2'], endSeconds)
    registry.clock.now = endSeconds * 1000 - 1
    expect(await pull(registry, image)).toBe('pulled')
    registry.clock.now += 1
    expect(await pull(registry, image)).toContain('allowlist, of 2, ended at')
  }
  delete process.env.TZ
})

test('a verdict is kept: a pull costs one read, until the policy changes or a scan ends', async () => {
  await scanned(registry, image, FOUND)
  await allow(['CVE-2026-1', 'CVE-2026-2'])
  await pull(registry, image)
  const calls: string[] = []
  const { metadata } = registry
  const counted = new Proxy(metadata, {
    get:
      (target, name: keyof typeof metadata) =>
      (...args: never[]) => {
        calls.push(name)
        return (target[name] as (...args: never[]) => unknown)(...args)
      },
  })
  const asCounted = { ...registry, metadata: counted }
  await pull(asCounted, image) // learns the repository, the project, and the lists
  calls.length = 0
  expect(await pull(asCounted, image)).toBe('pulled')
  expect(calls).toEqual(['batchGet', 'batchGet']) // the manifest, and the verdict with the scan
  await setPolicy(asCounted, { ...HIGH, prevent_vul: 'false' })
  await pull(asCounted, image)
  calls.length = 0
  expect(await pull(asCounted, image)).toBe('pulled')
  expect(calls).toEqual(['batchGet'])
  await allow(['CVE-2026-1', 'CVE-2026-2'])
  expect(await pull(registry, image)).toBe('pulled')
  await scanned(registry, image, [['CVE-2026-9', 'High']])
  expect(await pull(registry, image)).toContain('CVE-2026-9')
})

test('a change by another process counts within five seconds', async () => {
  await scanned(registry, image, FOUND)
  const other = { ...registry, metadata: { ...registry.metadata } }
  expect(await pull(other, image)).toBe('pulled')
  await setPolicy(registry, HIGH)
  expect(await pull(registry, image)).toContain(BLOCKED)
  expect(await pull(other, image)).toBe('pulled')
  registry.clock.now += 5000
  expect(await pull(other, image)).toContain(BLOCKED)
})

test('what cannot be run passes, and so does an index, whose images are judged by themselves', async () => {
  await setPolicy(registry, HIGH)
  const config = { mediaType: IMAGE_CONFIG, text: '{}' }
  const chart = { mediaType: 'application/vnd.cncf.helm.config.v1+json', text: '{}' }
  const statement = { mediaType: 'application/vnd.in-toto+json', text: '{"a":1}' }
  expect(await pull(registry, await pushParts(registry, undefined, [chart, statement]))).toBe('pulled')
  expect(await pull(registry, await pushParts(registry, undefined, [config, statement]))).toBe('pulled')
  const bytes = Buffer.alloc(5)
  const index = await pushIndex(registry, NAME, 'multi', [{ digest: image, bytes, layer: image }])
  expect(await pull(registry, index)).toBe('pulled')
  expect(await pull(registry, image)).toContain(BLOCKED)
})

test('an image does not pass for naming a subject', async () => {
  await setPolicy(registry, HIGH)
  const subject = { mediaType: IMAGE_CONFIG, digest: image, size: 2 }
  const disguised = await pushRunnable(registry, undefined, { subject })
  expect(await pull(registry, disguised)).toContain(BLOCKED)
})

test('our own scanner pulls what nobody else may', async () => {
  await setPolicy(registry, HIGH)
  expect(await pull(registry, image, { scan: true })).toBe('pulled')
})

test('of more vulnerabilities than fit a short report those that are not listed count as not allowed', async () => {
  const many = Array.from({ length: 6000 }, (_, at): Found => [`CVE-2025-${at}`, 'High'])
  await scanned(registry, image, many)
  await allow(many.slice(0, 5000).map(([id]) => id))
  expect(await pull(registry, image)).toContain('current image with')
})
