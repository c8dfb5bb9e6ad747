// The programs that people sign with, and a registry that refuses what they did not sign: cosign (key, its own
// authority), notation (JWS and COSE), an attested bill of materials.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { harborOf, makeUser, PASSWORD } from '../api/management.ts'
import { makeImage } from '../clients/image.ts'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { authority, certify, ecKey, keylessCertificate } from '../policy/signer.ts'
import { ADMIN_PASSWORD } from '../support/server.ts'

let at: Workplace
const COSIGN = { COSIGN_PASSWORD: 'x' }
const PLAIN = '--allow-insecure-registry --allow-http-registry'
const UNLOGGED = '--tlog-upload=false --use-signing-config=false --yes'

beforeAll(async () => {
  at = await openWorkplace()
  for (const each of ['cosign login', 'notation login --insecure-registry', 'crane auth login --insecure'])
    await at.sh(`${each} ${at.host} -u admin -p ${ADMIN_PASSWORD}`)
})
afterAll(() => at?.close())

/** A project that asks for something, with an image in it, and a guest who pulls. */
async function projectWith(name: string, metadata: object) {
  const admin = harborOf(at.registry.url, 'admin')
  const made = await admin('POST', '/projects', { project_name: name, metadata })
  expect(made.status).toBe(201)
  const image = await makeImage(path.join(at.directory, `image-${name}`), { layers: 1, layerBytes: 10_000 })
  await at.sh(`crane push --insecure ${image.layout} ${at.host}/${name}/app:v1`)
  const repository = `${at.host}/${name}/app`
  await makeUser(admin, `guest-${name}`)
  const member = { role_id: 3, member_user: { username: `guest-${name}` } }
  expect((await admin('POST', `/projects/${name}/members`, member)).status).toBe(201)
  const guest = `export DOCKER_CONFIG=$HOME/guest && crane auth login --insecure ${at.host} -u guest-${name} -p ${PASSWORD} && rm -rf pulled`
  return {
    reference: `${repository}@${image.digest}`,
    trust: async (trust: object) => {
      const url = `${at.registry.url}/api/v2.0/projects/${name}/signature-trust`
      const authorization = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`
      const headers = { authorization, 'content-type': 'application/json' }
      const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(trust) })
      expect(answer.status).toBe(200)
    },
    pull: () =>
      at.sh(`${guest} && crane pull --insecure --format oci ${repository}:v1 pulled && echo pulled`),
  }
}

const text = (name: string) => readFile(path.join(at.directory, name), 'utf8')
const save = (name: string, content: string) => writeFile(path.join(at.directory, name), content)

test.each([
  ['as a bundle', ''],
  ['as older versions did', '--new-bundle-format=false'],
])(
  'what cosign signed with a key of the project, %s, can be pulled, and with another key cannot',
  async (how, flags) => {
    const name = how === 'as a bundle' ? 'bundles' : 'tags'
    const { reference, trust, pull } = await projectWith(name, { enable_content_trust_cosign: 'true' })
    for (const each of ['right', 'wrong'])
      await at.sh(`cosign generate-key-pair --output-key-prefix ${name}-${each}`, COSIGN)
    await trust({ cosign_keys: [await text(`${name}-right.pub`)] })
    await expect(pull()).rejects.toThrow('not signed by cosign')
    const sign = (key: string) =>
      at.sh(`cosign sign --key ${name}-${key}.key ${flags} ${UNLOGGED} ${PLAIN} ${reference}`, COSIGN)
    await sign('wrong')
    await expect(pull()).rejects.toThrow('none of the keys the project trusts')
    await sign('right')
    expect(await pull()).toContain('pulled')
  },
)

test('what cosign signed with the certificate of an identity can be pulled where that identity is trusted', async () => {
  const { reference, trust, pull } = await projectWith('identities', { enable_content_trust_cosign: 'true' })
  const now = Math.floor(Date.now() / 1000)
  const life = { from: now - 1000, to: now + 10_000 }
  const root = authority('/CN=Fulcio of the works', life)
  const issuer = 'https://accounts.example.com'
  const dev = keylessCertificate(root, 'email:dev@example.com', issuer, life)
  await save('dev.pem', dev.certificate)
  await save('root.pem', root.certificate)
  await save('plain.key', dev.key.export({ type: 'sec1', format: 'pem' }).toString())
  await at.sh('cosign import-key-pair --key plain.key --output-key-prefix dev', COSIGN)
  const certificates = '--certificate dev.pem --certificate-chain root.pem'
  await at.sh(
    `cosign sign --key dev.key ${certificates} --new-bundle-format=false ${UNLOGGED} ${PLAIN} ${reference}`,
    COSIGN,
  )
  const fulcio_certificates = [root.certificate]
  await trust({ keyless: [{ identity: 'else@example.com', issuer }], fulcio_certificates })
  await expect(pull()).rejects.toThrow('whom the project does not trust')
  await trust({ keyless: [{ identity: 'dev@example.com', issuer }], fulcio_certificates })
  expect(await pull()).toContain('pulled')
})

test.each(['jws', 'cose'])(
  'what notation signed as %s can be pulled where its certificate is trusted',
  async (format) => {
    const { reference, trust, pull } = await projectWith(`notation-${format}`, {
      enable_content_trust: 'true',
    })
    await at.sh(`notation cert generate-test works-${format}`)
    const works = await text(`home/config/notation/localkeys/works-${format}.crt`)
    const other = certify(ecKey().privateKey, '/CN=other', { from: 0, to: 4_000_000_000 })
    await trust({ notation_certificates: [other] })
    await expect(pull()).rejects.toThrow('not signed by notation')
    await at.sh(
      `notation sign --insecure-registry --key works-${format} --signature-format ${format} --expiry 24h ${reference}`,
    )
    await expect(pull()).rejects.toThrow('not issued by an authority')
    await trust({ notation_certificates: [works] })
    expect(await pull()).toContain('pulled')
  },
)

test('a bill of materials that cosign attested lets an image be pulled that needs one', async () => {
  const { reference, pull } = await projectWith('bills', { require_sbom: 'true' })
  await expect(pull()).rejects.toThrow('no bill of materials')
  await at.sh('cosign generate-key-pair --output-key-prefix bill', COSIGN)
  const attest = (type: string) =>
    at.sh(
      `echo '{}' > predicate && cosign attest --key bill.key --type ${type} --predicate predicate ${UNLOGGED} ${PLAIN} ${reference}`,
      COSIGN,
    )
  await attest('slsaprovenance1')
  await expect(pull()).rejects.toThrow('no bill of materials')
  await attest('cyclonedx')
  expect(await pull()).toContain('pulled')
})
