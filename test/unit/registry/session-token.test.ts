// The token of an upload session: what it says, whom it fits, and for how long.
import { expect, test } from 'vitest'
import {
  issueSessionToken,
  readSessionToken,
  type Session,
  type SessionKeys,
} from '../../../lib/registry/session-token.ts'

const NAME = 'library/app'
const NOW_MS = 1_700_000_000_000
const SESSION: Session = {
  id: 'session1',
  repositoryId: 'repo1',
  expiresAtEpochSeconds: NOW_MS / 1000,
  limitBytes: 5 * 2 ** 40,
  patched: false,
}
const secret = (fill: number) => new Uint8Array(32).fill(fill)
const keysOf = (currentId: string, ...ids: [string, number][]): SessionKeys => ({
  currentId,
  secrets: new Map(ids.map(([id, fill]) => [id, secret(fill)])),
})
const KEYS = keysOf('k1', ['k1', 1])
const read = (token: string, keys = KEYS, name = NAME, nowMs = NOW_MS) =>
  readSessionToken(keys, name, token, nowMs)
const unknown = expect.objectContaining({ code: 'BLOB_UPLOAD_UNKNOWN', status: 404 })

test('a token gives back the session it was issued for', () => {
  for (const patched of [false, true]) {
    const session = { ...SESSION, patched }
    expect(read(issueSessionToken(KEYS, NAME, session))).toEqual(session)
  }
})

test('a token has only characters no client encodes anew', () => {
  expect(issueSessionToken(KEYS, NAME, { ...SESSION, patched: true })).toMatch(/^[A-Za-z0-9._~-]+$/)
})

test('a token fits no other repository', () => {
  const token = issueSessionToken(KEYS, NAME, SESSION)
  expect(() => read(token, KEYS, 'library/other')).toThrow(unknown)
})

test('a token in which anything was altered is unknown', () => {
  const token = issueSessionToken(KEYS, NAME, SESSION)
  const parts = token.split('.')
  for (let index = 0; index < parts.length; index++) {
    const altered = parts.with(
      index,
      `${parts[index]!.slice(0, -1)}${parts[index]!.endsWith('x') ? 'y' : 'x'}`,
    )
    expect(() => read(altered.join('.'))).toThrow(unknown)
  }
})

test('a token with parts missing, added or emptied is unknown', () => {
  const token = issueSessionToken(KEYS, NAME, SESSION)
  const parts = token.split('.')
  const bent = [
    '',
    '~p',
    '.....',
    parts.slice(0, 5).join('.'),
    parts.slice(1).join('.'),
    `${token}.`,
    `${token}.more`,
    token.slice(0, -1),
    `${token}x`,
    parts.with(5, '').join('.'),
  ]
  for (const each of bent) expect(() => read(each)).toThrow(unknown)
})

test('a token signed with a key that is still held is read, one whose key is gone is not', () => {
  const token = issueSessionToken(KEYS, NAME, SESSION)
  expect(read(token, keysOf('k2', ['k1', 1], ['k2', 2]))).toEqual(SESSION)
  expect(() => read(token, keysOf('k2', ['k2', 2]))).toThrow(unknown)
  expect(() => read(token, keysOf('k1', ['k1', 2]))).toThrow(unknown)
})

test('the current key signs', () => {
  const token = issueSessionToken(keysOf('k2', ['k1', 1], ['k2', 2]), NAME, SESSION)
  expect(read(token, keysOf('k2', ['k2', 2]))).toEqual(SESSION)
})

test('a token is good until its second of expiry, and then says that it expired', () => {
  const token = issueSessionToken(KEYS, NAME, SESSION)
  expect(read(token, KEYS, NAME, NOW_MS).id).toBe(SESSION.id)
  expect(() => read(token, KEYS, NAME, NOW_MS + 1)).toThrow(unknown)
  expect(() => read(token, KEYS, NAME, NOW_MS + 1)).toThrow(/expired/)
})
