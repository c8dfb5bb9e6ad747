// Trivy as a program that fails in every way a program can. What it finds is test/scanning's matter, with the real one.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../../lib/oci/digest.ts'
import type { ImageTarget } from '../../../lib/scanning/scanner.ts'
import { createTrivy, type TrivySettings } from '../../../lib/scanning/trivy.ts'

let directory: string
const lines: string[] = []
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-trivy-'))
  lines.length = 0
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const target: ImageTarget = {
  origin: 'http://127.0.0.1:5050',
  repository: 'library/app',
  digest: `sha256:${'a'.repeat(64)}` as Digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  token: 'the token',
}
const VERSION = `if [ "$1" = version ]; then echo '{"Version":"0.72.0"}'; exit 0; fi`
/** Says where its report goes. */
const OUTPUT = `while [ "$1" != --output ]; do shift; done; out=$2`

/** Scans with a program of that text. */
async function scan(
  script: string,
  more: Partial<TrivySettings> = {},
  signal = new AbortController().signal,
) {
  const program = path.join(directory, 'trivy')
  await writeFile(program, `#!/usr/bin/env bash\n${VERSION}\n${script}\n`)
  await chmod(program, 0o755)
  const cache = path.join(directory, 'cache')
  if (more.skipUpdate !== false) await mkdir(path.join(cache, 'db'), { recursive: true })
  if (more.skipUpdate !== false) await writeFile(path.join(cache, 'db', 'trivy.db'), '')
  const settings: TrivySettings = {
    program,
    cache,
    checks: ['vuln'],
    ignoreUnfixed: false,
    skipUpdate: true,
    offline: true,
    timeoutSeconds: 60,
    databaseRepository: '',
    javaDatabaseRepository: '',
    insecure: false,
    ...more,
  }
  return createTrivy(settings, () => false).scan(target, { signal, log: (line) => lines.push(line) })
}

const writes = (report: string) => scan(`${OUTPUT}; cat > "$out" <<'END'\n${report}\nEND`)

test('a program that is not there is named, and not tried again', async () => {
  const away = path.join(directory, 'nowhere')
  await expect(scan('', { program: away })).rejects.toMatchObject({
    message: `there is no program ${away}: install trivy, or name it with --trivy`,
    final: true,
  })
})

test('what it said last is why a scan failed', async () => {
  await expect(scan('echo "no space left" >&2; exit 7')).rejects.toThrow('trivy ended with 7: no space left')
  await expect(scan('kill -9 $$')).rejects.toThrow('trivy was killed by SIGKILL')
})

test('a report that is none, or of another shape or schema, is refused', async () => {
  await expect(scan('exit 0')).rejects.toThrow('trivy ended without a report')
  await expect(writes('<html>')).rejects.toThrow('trivy wrote no JSON')
  await expect(writes('[]')).rejects.toThrow('trivy’s report has another shape')
  await expect(writes('{"SchemaVersion": 3}')).rejects.toThrow('has schema 3, expected 2')
  const noId = '{"SchemaVersion": 2, "Results": [{"Target": "x", "Vulnerabilities": [{"PkgName": "zlib"}]}]}'
  await expect(writes(noId)).rejects.toThrow('VulnerabilityID')
})

test('a report without results has none', async () => {
  const report = await writes('{"SchemaVersion": 2}')
  expect(report).toMatchObject({ severity: 'None', vulnerabilities: [], scanner: { version: '0.72.0' } })
})

test('a vulnerability of one version of a package is counted once, and the worst come first', async () => {
  const one = { VulnerabilityID: 'CVE-1', PkgName: 'zlib', InstalledVersion: '1', Severity: 'LOW' }
  const worse = { ...one, VulnerabilityID: 'CVE-2', Severity: 'CRITICAL' }
  const Results = [
    { Target: 'a', Vulnerabilities: [one] },
    { Target: 'b', Vulnerabilities: [one, worse] },
  ]
  const { vulnerabilities } = await writes(JSON.stringify({ SchemaVersion: 2, Results }))
  expect(vulnerabilities.map(({ id, severity }) => [id, severity])).toEqual([
    ['CVE-2', 'Critical'],
    ['CVE-1', 'Low'],
  ])
})

test('one that hangs ends when the scan is stopped, with what it began', async () => {
  const stopped = new AbortController()
  const file = path.join(directory, 'began')
  const hanging = scan(`echo $$ > ${file}; exec sleep 600`, {}, stopped.signal)
  await expect.poll(() => readdir(directory)).toContain('began')
  stopped.abort()
  await expect(hanging).rejects.toThrow('trivy took too long, or was stopped')
  const pid = Number(await readFile(file, 'utf8'))
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

test('its token is in a file that only it reads, for that host alone, and gone afterwards', async () => {
  const copy = path.join(directory, 'seen')
  const see = `cp "$DOCKER_CONFIG/config.json" ${copy}.json; stat -c %a "$DOCKER_CONFIG/config.json" > ${copy}.mode; env > ${copy}.env`
  await expect(scan(`${see}; echo "$@" > ${copy}.args; exit 1`)).rejects.toThrow()
  const [config, mode, env, args] = await Promise.all(
    ['json', 'mode', 'env', 'args'].map((each) => readFile(`${copy}.${each}`, 'utf8')),
  )
  expect(JSON.parse(config!)).toEqual({ auths: { '127.0.0.1:5050': { registrytoken: 'the token' } } })
  expect(mode!.trim()).toBe('600')
  expect(env! + args!).not.toContain('the token')
  const home = /DOCKER_CONFIG=(.*)/.exec(env!)![1]!
  await expect(readdir(home)).rejects.toThrow('ENOENT')
  expect(lines.join('\n')).not.toContain('the token')
})

test('a database of another schema is thrown away', async () => {
  const cache = path.join(directory, 'cache')
  const download = `mkdir -p ${cache}/db; echo '{"Version": 3}' > ${cache}/db/metadata.json`
  await expect(scan(download, { skipUpdate: false })).rejects.toThrow('has schema 3, expected 2')
  expect(await readdir(cache)).toEqual([])
})
