// Harbor's configuration becomes ours: what is mapped, that nothing is passed over in silence, that secrets stay where they are.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { readConfig } from '../../../lib/config/config.ts'
import { HARBOR_KEYS } from '../../../lib/config/harbor-keys.ts'
import { fromHarborYml } from '../../../lib/config/harbor-yml.ts'

const template = readFileSync(path.join(import.meta.dirname, 'harbor.yml'), 'utf8')

/** Through our own reader, checks of several keys together included. */
function accepted(text: string) {
  const directory = mkdtempSync(path.join(tmpdir(), 'entrepot-harbor-'))
  const file = path.join(directory, 'entrepot.yaml')
  writeFileSync(file, text)
  try {
    return readConfig(['--config', file], {})
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function noteOn(key: string, harbor: string): string | undefined {
  const found = fromHarborYml(harbor)
    .split('\n')
    .find((line) => line.startsWith(`# ${key}: `))
  return found?.slice(key.length + 4)
}

test('the whole of harbor.yml becomes a configuration that we accept', () => {
  expect(accepted(fromHarborYml(template))).toMatchObject({
    host: '0.0.0.0',
    port: 8443,
    redirectHttp: 80,
    externalUrl: 'https://registry.example.com:8443',
    tlsCert: '/etc/ssl/registry.crt',
    tlsKey: '/etc/ssl/registry.key',
    data: '/srv/harbor/entrepot',
    redirectBlobs: 'off',
    logLevel: 'warn',
  })
})

test('what it says on the cloud is accepted as well, once the comment signs are gone', () => {
  const uncommented = fromHarborYml(template).replace(/^# (cloud:| {2,}\w)/gm, '$1')
  expect(accepted(uncommented).cloud?.domain?.name).toBe('registry.example.com')
})

test('no value of a secret comes out', () => {
  expect(template.match(/s3cr3t-\w+/g)!.length).toBeGreaterThan(10)
  expect(fromHarborYml(template)).not.toContain('s3cr3t')
})

test('every key has a line, and none of the template’s is unknown', () => {
  const notes = fromHarborYml(template)
    .split('What became of the keys of harbor.yml:\n')[1]!
    .trim()
    .split('\n')
  const said = /^# [\w.]+: (mapped to |not needed because |no equivalent yet)/
  expect(notes.filter((line) => !said.test(line))).toEqual([])
  for (const key of Object.keys(HARBOR_KEYS).filter((each) => each !== 'external_url'))
    expect(notes.some((line) => line.startsWith(`# ${key.replace(/\*$/, '')}`))).toBe(true)
})

test.each([
  ['harbor_admin_password', 'ENTREPOT_ADMIN_PASSWORD'],
  ['storage_service.s3.secretkey', 'AWS_SECRET_ACCESS_KEY'],
])('of the secret %s it is said that it goes to %s', (key, place) => {
  expect(noteOn(key, template)).toContain(place)
})

test.each([
  ['a section', 'chartmuseum:\n  enabled: true\n', 'chartmuseum.enabled'],
  ['a key of a known section', 'log:\n  colour: red\n', 'log.colour'],
  ['a key named like something every object has', 'constructor: 1\n', 'constructor'],
])('%s that Harbor does not know is named as unknown', (_what, harbor, key) => {
  expect(noteOn(key, harbor)).toMatch(/^unknown/)
})

test('a key with a line break in it stays within its comment', () => {
  const text = fromHarborYml('"a\\nport: 1": 2\n')
  expect(accepted(text).port).toBe(80)
  expect(text).toContain('# "a\\nport: 1": unknown')
})

test('keys without a value are said to be empty', () => {
  const harbor = 'hostname:\ntrivy:\nexternal_redis:\n  password:\n'
  for (const key of ['hostname', 'trivy', 'external_redis.password'])
    expect(noteOn(key, harbor)).toBe('not needed because it is empty')
  expect(accepted(fromHarborYml(harbor)).externalUrl).toBeUndefined()
})

test('https without certificate or key is refused, as Harbor refuses it', () => {
  expect(() => fromHarborYml('https:\n  port: 443\n  certificate: /c\n')).toThrow(
    /https.private_key is needed/,
  )
})

test('without https the port is that of http, and nothing is redirected', () => {
  const config = accepted(
    fromHarborYml('hostname: reg.example.com\nhttp:\n  port: 8080\ndata_volume: /data/\n'),
  )
  expect(config).toMatchObject({
    port: 8080,
    externalUrl: 'http://reg.example.com:8080',
    data: '/data/entrepot',
  })
  expect([config.tlsCert, config.redirectHttp]).toEqual([undefined, undefined])
})

test('ports that are not given are Harbor’s usual ones', () => {
  const secure = 'hostname: reg.example.com\nhttps:\n  certificate: /c\n  private_key: /k\n'
  expect(accepted(fromHarborYml(secure))).toMatchObject({
    port: 443,
    redirectHttp: 80,
    externalUrl: 'https://reg.example.com',
  })
  expect(accepted(fromHarborYml('hostname: reg.example.com\n')).port).toBe(80)
})

test('external_url wins over hostname, as it does for Harbor', () => {
  const harbor = 'hostname: inside.example.com\nexternal_url: https://reg.example.com/\n'
  expect(accepted(fromHarborYml(harbor)).externalUrl).toBe('https://reg.example.com/')
  expect(noteOn('hostname', harbor)).toMatch(/^not needed because external_url/)
})

test('a login inside of external_url is not copied', () => {
  const text = fromHarborYml('external_url: https://ada:s3cr3t@reg.example.com\n')
  expect(text).not.toContain('s3cr3t')
})

test('IPv6 makes it listen on both families', () => {
  const harbor = 'hostname: reg.example.com\nip_family:\n  ipv6:\n    enabled: true\n'
  expect(accepted(fromHarborYml(harbor)).host).toBe('::')
})

test.each([
  ['http:\n  port: many\n', 'http.port'],
  ['external_url: nowhere\n', 'external_url'],
  ['log:\n  level: loud\n', 'log.level'],
])('a value that would not be accepted is left out, and said to be: %j', (harbor, key) => {
  expect(() => accepted(fromHarborYml(harbor))).not.toThrow()
  expect(noteOn(key, harbor)).toMatch(/not mapped to|no equivalent yet/)
})

test('the fault in a file that is no YAML is named by its line and not shown', () => {
  const harbor = 'hostname: a\nharbor_admin_password: "s3cr3t\n'
  expect(() => fromHarborYml(harbor)).toThrow(/cannot understand harbor.yml: .*line/)
  expect(() => fromHarborYml(harbor)).not.toThrow(/s3cr3t/)
})

test('whatever is not mapped, no value of it is shown, and the rest is accepted', () => {
  const mapped = new Set(['hostname', 'data_volume', 'http', 'https', 'log', 'storage_service'])
  const sections = Object.keys(parse(template) as object).filter((key) => !mapped.has(key))
  const value = fc.string({ minLength: 1 }).map((text) => `MARK${text}`)
  const harbor = fc.dictionary(
    fc.constantFrom(...sections),
    fc.oneof(value, fc.dictionary(fc.stringMatching(/^[a-z_]+$/), value)),
  )
  fc.assert(
    fc.property(harbor, (given) => {
      const text = fromHarborYml(stringify({ hostname: 'reg.example.com', ...given }))
      expect(text).not.toContain('MARK')
      expect(accepted(text).externalUrl).toBe('http://reg.example.com')
    }),
    { numRuns: 50 },
  )
})
