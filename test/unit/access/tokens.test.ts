import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { Secrets, type SigningKey } from '../../../lib/access/secret-keys.ts'
import { Tokens } from '../../../lib/access/tokens.ts'

const access = [{ type: 'repository', name: 'library/app', actions: ['pull'] }]
const clock = { now: Date.UTC(2026, 10, 24), nowMs: () => clock.now }
let older: SigningKey
let newer: SigningKey
let foreign: SigningKey

async function makeKey(kid: string, createdAt: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { kid, createdAt, jwk: await exportJWK(privateKey) }
}
beforeAll(async () => {
  older = await makeKey('older', '2026-01-01')
  newer = await makeKey('newer', '2026-06-01')
  foreign = await makeKey('foreign', '2026-06-01')
})

function tokensOf(...signing: SigningKey[]): Tokens {
  const session = [{ id: 's', secret: 'secret' }]
  return new Tokens(new Secrets({ v: 1, session, signing }, clock), 'entrepot', clock)
}

/** A token made by the library itself, right but for what the test changes. */
async function forge(
  key: SigningKey,
  change: { kid?: string; aud?: string; iss?: string; typ?: string; exp?: number },
) {
  const now = Math.floor(clock.now / 1000)
  return new SignJWT({ access })
    .setProtectedHeader({ alg: 'ES256', typ: change.typ ?? 'JWT', kid: change.kid ?? key.kid })
    .setIssuer(change.iss ?? 'entrepot')
    .setAudience(change.aud ?? 'entrepot')
    .setSubject('admin')
    .setIssuedAt(now)
    .setExpirationTime(now + (change.exp ?? 60))
    .sign(await importJWK(key.jwk, 'ES256'))
}

test('a token is good for half an hour and not a second longer, also when it was verified before', async () => {
  const tokens = tokensOf(newer)
  const token = await tokens.issue('admin', access)
  const start = clock.now
  expect(await tokens.verify(token)).toMatchObject({ subject: 'admin', access })
  clock.now = start + 1799_000
  expect(await tokens.verify(token)).toBeDefined()
  clock.now = start + 1801_000
  expect(await tokens.verify(token)).toBeUndefined()
  expect(await tokensOf(newer).verify(token)).toBeUndefined()
  clock.now = start
})

test('a scanner’s token lets it pull from one repository, and no other token says that it is one', async () => {
  const tokens = tokensOf(newer)
  const pull = [{ type: 'repository', name: 'library/app', actions: ['pull'] }]
  const verified = await tokens.verify(await tokens.issueScan('library/app'))
  expect(verified).toMatchObject({ subject: 'scanner', scan: true, access: pull })
  expect(verified!.expiresAtSeconds - verified!.issuedAtSeconds).toBe(1800)
  expect(await tokens.verify(await tokens.issue('scanner', access))).not.toHaveProperty('scan')
})

test('a scanner logs in with its token as the password, under no other name, and nobody else so', async () => {
  const tokens = tokensOf(newer)
  const password = await tokens.issueScan('library/app')
  expect(await tokens.verifyScan({ name: 'scanner', password })).toMatchObject({ scan: true })
  expect(await tokens.verifyScan({ name: 'admin', password })).toBeUndefined()
  const other = await tokens.issue('scanner', access)
  expect(await tokens.verifyScan({ name: 'scanner', password: other })).toBeUndefined()
  expect(await tokens.verifyScan({ name: 'scanner', password: 'guessed' })).toBeUndefined()
})

test('the newest key signs, older ones still verify, removed ones no longer', async () => {
  const before = await tokensOf(older).issue('admin', access)
  const rotated = tokensOf(older, newer)
  const after = await rotated.issue('admin', access)
  const kid = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid
  expect([kid(before), kid(after)]).toEqual(['older', 'newer'])
  expect(await rotated.verify(before)).toBeDefined()
  expect(await tokensOf(newer).verify(before)).toBeUndefined()
})

test('a new key signs only once every process has had time to read it', async () => {
  const fresh = await makeKey('fresh', new Date(clock.now).toISOString())
  const kid = async () => {
    const token = await tokensOf(older, fresh).issue('admin', access)
    expect(await tokensOf(older, fresh).verify(token)).toBeDefined()
    return JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid
  }
  const start = clock.now
  expect(await kid()).toBe('older')
  clock.now = start + 599_000
  expect(await kid()).toBe('older')
  clock.now = start + 600_000
  expect(await kid()).toBe('fresh')
  clock.now = start
})

test('what another library signs with our key is good, and anything changed about it is not', async () => {
  const verifies = async (token: string) => (await tokensOf(newer).verify(token)) !== undefined
  expect(await verifies(await forge(newer, {}))).toBe(true)
  for (const change of [
    { aud: 'other' },
    { iss: 'other' },
    { typ: 'refresh' },
    { kid: 'unknown' },
    { exp: -1 },
  ])
    expect(await verifies(await forge(newer, change))).toBe(false)
  expect(await verifies(await forge(foreign, { kid: 'newer' }))).toBe(false)
})

test('a token signed with the public key as an HMAC secret is refused', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(clock.now / 1000)
  const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: 'newer' })}.${part({ iss: 'entrepot', aud: 'entrepot', sub: 'admin', exp: now + 60, access })}`
  const [publicKey] = tokensOf(newer).publicKeys()
  const mac = createHmac('sha256', JSON.stringify(publicKey)).update(signed).digest('base64url')
  expect(await tokensOf(newer).verify(`${signed}.${mac}`)).toBeUndefined()
})

test('published keys hold nothing private', () => {
  const [key] = tokensOf(newer).publicKeys()
  expect(Object.keys(key!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
})

test('a refresh token is no access token, and the other way round', async () => {
  const tokens = tokensOf(newer)
  const refresh = await tokens.issueRefresh('admin')
  expect(await tokens.verify(refresh)).toBeUndefined()
  expect(await tokens.verifyRefresh(refresh)).toMatchObject({ subject: 'admin' })
  expect(await tokens.verifyRefresh(await tokens.issue('admin', access))).toBeUndefined()
})

test('so many scopes that the token would not fit a header are refused', async () => {
  const many = Array.from({ length: 90 }, (_, number) => ({
    ...access[0]!,
    name: `library/${'x'.repeat(40)}${number}`,
  }))
  await expect(tokensOf(newer).issue('admin', many)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
  })
})
