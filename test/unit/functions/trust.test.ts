// Authorities of the deployment's own, in functions as in tasks.
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { getCACertificates, rootCertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { trustExtraAuthorities } from '../../../lib/config/trust.ts'

const lambdas = path.resolve(import.meta.dirname, '../../../lambdas')
const directory = mkdtempSync(path.join(tmpdir(), 'entrepot-trust-'))
const usual = getCACertificates('default')
const [KNOWN, FIRST, SECOND] = rootCertificates as [string, string, string]

/** The layer's file, as it is named in a function. */
function layerWith(text: string): string {
  const file = path.join(directory, 'extra.pem')
  writeFileSync(file, text)
  return file
}
/** Node may break their lines elsewhere. */
const named = (...pems: string[]) => pems.map((pem) => new X509Certificate(pem).fingerprint256).sort()
const trusted = () => named(...getCACertificates('default'))

beforeEach(() => setDefaultCACertificates([KNOWN]))
afterEach(() => {
  setDefaultCACertificates(usual)
  vi.unstubAllEnvs()
  vi.resetModules()
})
afterAll(() => rmSync(directory, { recursive: true }))

test('authorities of a file and of the environment are trusted besides the known ones', () => {
  trustExtraAuthorities({ ENTREPOT_TRUST: FIRST, ENTREPOT_TRUST_FILE: layerWith(`of ours\n${SECOND}\n`) })
  expect(trusted()).toEqual(named(KNOWN, FIRST, SECOND))
})

test('without authorities of one’s own nothing changes', () => {
  trustExtraAuthorities({})
  expect(trusted()).toEqual(named(KNOWN))
})

test('a function trusts the layer’s authorities from its start', async () => {
  const settings = { TABLE: 'table', BUCKET: 'bucket', SECRETS: 'keys', QUEUE: 'queue' }
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(`ENTREPOT_${name}`, value)
  vi.stubEnv('ENTREPOT_TRUST_FILE', layerWith(FIRST))
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  await import('../../../lambdas/relay/handler.ts')
  expect(trusted()).toEqual(named(KNOWN, FIRST))
})

test.each(readdirSync(lambdas))(
  '%s reads the layer before anything else, and says what is wrong with it',
  async (name) => {
    vi.stubEnv('ENTREPOT_TRUST_FILE', layerWith('nothing of the kind'))
    await expect(import(path.join(lambdas, name, 'handler.ts'))).rejects.toThrow('no PEM certificate')
  },
)
