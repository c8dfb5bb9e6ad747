// A report of 50 MB: taken over in bounded memory, and what is kept of it beside the report itself is bounded.
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ENTRY_BYTES = 1000
const MEMORY_MB = 600

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-large-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** A program that writes a report of so many entries of 1,000 bytes, a line each. */
async function reporting(entries: number): Promise<void> {
  const entry = `{"VulnerabilityID":"CVE-2024-%07d","PkgName":"zlib","InstalledVersion":"1.0","Severity":"HIGH","CVSS":{"nvd":{"V3Score":7.5}},"Description":"%s"}`
  const padding = 'x'.repeat(ENTRY_BYTES - entry.length - 2)
  const awk = `BEGIN { printf "{\\"SchemaVersion\\":2,\\"Results\\":[{\\"Target\\":\\"os\\",\\"Vulnerabilities\\":[";
    for (n = 0; n < ${entries}; n++) printf "%s${entry.replaceAll('"', '\\"')}", (n ? "," : ""), n, p; print "]}]}" }`
  const script = `#!/usr/bin/env bash
if [ "$1" = version ]; then echo '{"Version":"0.72.0"}'; exit 0; fi
while [ "$1" != --output ]; do shift; done
awk -v p=${padding} '${awk}' > "$2"
`
  const program = path.join(directory, 'trivy')
  await writeFile(program, script)
  await chmod(program, 0o755)
}

const store = () =>
  promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'store-report.ts'), directory])

test('50,000 vulnerabilities in 50 MB are counted, the first few thousand listed, and nothing is left once they are forgotten', async () => {
  await reporting(50_000)
  const { stdout } = await store()
  const { found, after, left, memoryMb, seconds } = JSON.parse(stdout)
  expect(found).toBe(50_000)
  expect(after).toMatchObject({ total: 50_000, scanned: 1 })
  expect(after.listed).toBeGreaterThan(2000)
  expect(after.listed).toBeLessThanOrEqual(5000)
  expect(left).toMatchObject({ total: 0, scanned: 0, listed: 0 })
  expect(memoryMb, `${memoryMb} MB, ${seconds} s`).toBeLessThan(MEMORY_MB)
}, 120_000)

test('one above 64 MiB is refused, and it is said how large it is', async () => {
  await reporting(70_000)
  await expect(store()).rejects.toThrow(
    /trivy’s report has \d{8} bytes, more than the 67108864 that are read/,
  )
}, 120_000)
