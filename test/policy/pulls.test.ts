// Policies on a running registry: what clients are answered, what people are told, and what operators can try before.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Secrets } from '../../lib/access/secret-keys.ts'
import { Tokens } from '../../lib/access/tokens.ts'
import { type Client, clientOf, digest, MANIFEST, pushBlob } from '../api/client.ts'
import { basic, type Harbor, harborOf, makeUser, PASSWORD } from '../api/management.ts'
import { entrepot } from '../cli/command.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { IMAGE_CONFIG, LAYER } from './place.ts'
import { ecKey, pem, signed, simplePayload } from './signer.ts'

const SCANNED = { prevent_vul: 'true', severity: 'high' }
const OTHER = { mediaType: LAYER, text: 'not signed at all' }
const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json'

let directory: string
let server: Server
let admin: Harbor
let http: Client

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-policy-'))
  server = await startServer({ open: false, dataDir: path.join(directory, 'data') })
  admin = harborOf(server.url, 'admin')
  http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

const run = (...args: string[]) => entrepot([...args, '--data', server.dataDir])

/** Harbor's file has nothing of it. @param name '' for nobody */
async function trustOf(method: string, of: string, trust?: object, name = 'admin') {
  const login = name === 'admin' ? basic(name, ADMIN_PASSWORD) : basic(name, PASSWORD)
  const body = trust === undefined ? '' : JSON.stringify(trust)
  const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
  const path = `/api/v2.0/projects/${of}/signature-trust`
  const answer = await clientOf(server.url, name === '' ? undefined : login)(method, path, { headers, body })
  return { ...answer, json: answer.body.length > 0 ? JSON.parse(answer.body.toString()) : undefined }
}

async function project(name: string, metadata: object): Promise<void> {
  expect((await admin('POST', '/projects', { project_name: name, metadata })).status).toBe(201)
}

async function push(
  name: string,
  tag: string,
  layer: { mediaType: string; text: string; annotations?: object },
) {
  const config = await pushBlob(http, name, '{}')
  const { text, ...described } = layer
  const size = Buffer.byteLength(text)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: IMAGE_CONFIG, digest: config, size: 2 },
    layers: [{ ...described, digest: await pushBlob(http, name, text), size }],
  })
  const headers = { 'content-type': MANIFEST }
  expect((await http('PUT', `/v2/${name}/manifests/${tag}`, { headers, body })).status).toBe(201)
  return digest(body)
}

const pull = (method: string, name: string, reference: string, headers = {}) =>
  http(method, `/v2/${name}/manifests/${reference}`, { headers })

test('a refused pull is 412 PROJECTPOLICYVIOLATION, for every client but our scanner, and explain tells it again', async () => {
  await project('strict', SCANNED)
  const image = await push('strict/app', 'v1', { mediaType: LAYER, text: 'a layer' })
  for (const agent of ['docker/29.0', 'cosign/v3', 'notation/1.3', 'harbor-scanner-trivy']) {
    const refused = await pull('GET', 'strict/app', 'v1', {
      'user-agent': agent,
      'if-none-match': `"${image}"`,
    })
    expect([refused.status, refused.code]).toEqual([412, 'PROJECTPOLICYVIOLATION'])
    expect(refused.message).toContain('current image without vulnerability scanning cannot be pulled')
  }
  const head = await pull('HEAD', 'strict/app', image)
  expect([head.status, head.body.length]).toEqual([412, 0])
  const id = String(head.headers['x-request-id'])
  await expect
    .poll(async () => (await run('explain', id)).stdout, { timeout: 20_000, interval: 500 })
    .toContain('without vulnerability scanning')
  expect((await run('explain', id)).stdout).toContain('by      admin')
  const document = JSON.parse(await readFile(path.join(server.dataDir, 'secrets.json'), 'utf8'))
  const clock = { nowMs: Date.now }
  const tokens = new Tokens(new Secrets(document, clock), 'entrepot', clock)
  const bearer = async (token: Promise<string>) => {
    const headers = { authorization: `Bearer ${await token}` }
    return (await pull('GET', 'strict/app', 'v1', headers)).status
  }
  expect(await bearer(tokens.issueScan('strict/app'))).toBe(200)
  expect(await bearer(tokens.issueScan('strict/other'))).toBe(401)
  const access = [{ type: 'repository', name: 'strict/app', actions: ['pull'] }]
  expect(await bearer(tokens.issue('scanner', access))).toBe(412)
  await admin('PUT', '/projects/strict/metadatas/prevent_vul', { prevent_vul: 'false' })
  expect((await pull('GET', 'strict/app', 'v1')).status).toBe(200)
})

test('a project that names a key takes images which that key signed, and no others', async () => {
  await project('signed', { enable_content_trust_cosign: 'true' })
  await makeUser(admin, 'deployer')
  const guest = { role_id: 3, member_user: { username: 'deployer' } }
  expect((await admin('POST', '/projects/signed/members', guest)).status).toBe(201)
  const asGuest = clientOf(server.url, basic('deployer', PASSWORD))
  const pullAsGuest = (name: string, reference: string) =>
    asGuest('GET', `/v2/${name}/manifests/${reference}`)
  const { publicKey, privateKey } = ecKey()
  const trust = { cosign_keys: [pem(publicKey)] }
  expect((await trustOf('PUT', 'signed', trust)).status).toBe(200)
  const image = await push('signed/app', 'v1', { mediaType: LAYER, text: 'another layer' })
  expect((await pullAsGuest('signed/app', 'v1')).message).toContain('The image is not signed by cosign')
  const payload = simplePayload(image)
  const sign = (signature: string) =>
    push('signed/app', `${image.replace(':', '-')}.sig`, {
      mediaType: SIMPLE,
      text: payload,
      annotations: { 'dev.cosignproject.cosign/signature': signature },
    })
  const signature = await sign(signed(ecKey().privateKey, payload))
  expect((await pullAsGuest('signed/app', 'v1')).message).toContain('none of the keys the project trusts')
  expect((await pullAsGuest('signed/app', signature)).status).toBe(200)
  await sign(signed(privateKey, payload))
  expect((await pullAsGuest('signed/app', 'v1')).status).toBe(200)
  // Whoever may push may sign, and has to read for that what is not signed yet.
  expect((await pull('GET', 'signed/app', await push('signed/app', 'v2', OTHER))).status).toBe(200)
  expect((await pullAsGuest('signed/app', 'v2')).status).toBe(412)
  expect((await run('policy', 'show', 'signed')).stdout).toContain('cosign\tkeys: 1')
})

test('what is no key, no certificate, or a private key is refused with its place, and only who may change a project does', async () => {
  await project('trusting', {})
  const { privateKey } = ecKey()
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  for (const [body, why] of [
    [{ cosign_keys: ['nonsense'] }, 'cosign_keys[0] is no public key'],
    [{ cosign_keys: [secret] }, 'cosign_keys[0] is a private key'],
    [{ notation_certificates: ['nonsense'] }, 'notation_certificates[0] is no certificate'],
    [{ keyless: [{ identity: 'a', issuer: 'b' }] }, 'need fulcio_certificates'],
  ] as const) {
    const answer = await trustOf('PUT', 'trusting', body)
    expect([answer.status, answer.message]).toEqual([400, expect.stringContaining(why)])
  }
  expect((await trustOf('PUT', 'trusting', { cosign_keys: 'x' })).status).toBe(422)
  expect((await trustOf('GET', 'trusting')).json).toEqual({
    cosign_keys: [],
    keyless: [],
    fulcio_certificates: [],
    notation_certificates: [],
  })
  await makeUser(admin, 'sailor')
  expect((await trustOf('PUT', 'trusting', {}, 'sailor')).status).toBe(403)
  expect((await trustOf('GET', 'trusting', undefined, '')).status).toBe(401)
})

test('a policy is tried on past pulls before anybody has it', async () => {
  await project('busy', {})
  await push('busy/app', 'v1', { mediaType: LAYER, text: 'a third layer' })
  for (let at = 0; at < 3; at++) expect((await pull('GET', 'busy/app', 'v1')).status).toBe(200)
  const file = path.join(directory, 'policy.yaml')
  await writeFile(file, 'projects: [busy]\nprevent_vul: true\nseverity: high\n')
  const tried = () => run('policy', 'test', file, '--last', '30d')
  await expect
    .poll(async () => (await tried()).stdout, { timeout: 20_000, interval: 500 })
    .toContain('busy/app:v1\t3 pulls\tadmin\t')
  const { code, stdout } = await tried()
  expect([code, stdout]).toEqual([1, expect.stringContaining('3 pulls in 30d: 3 would have been refused')])
  expect(stdout).toContain('current image without vulnerability scanning')
  await writeFile(file, '{"projects": ["busy"], "enable_content_trust": false}')
  expect((await tried()).code).toBe(0)
  await writeFile(file, 'prevent_vulns: true\n')
  expect((await tried()).stdout).toContain('"prevent_vulns" is no setting of a policy')
  expect((await pull('GET', 'busy/app', 'v1')).status).toBe(200)
})
