// Hashes of uploads in progress: right, or not there.
import { createHash, type Hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { RunningHashes } from '../../../lib/registry/running-hashes.ts'

const KEPT = 4096
const over = (text: string): Hash => createHash('sha256').update(text)
const hex = (text: string): string => over(text).digest('hex')

test('a kept hash goes on where it was left', () => {
  const hashes = new RunningHashes()
  hashes.keep('s', 3, over('abc'))
  expect(hashes.at('s', 3)!.update('def').digest('hex')).toBe(hex('abcdef'))
})

test('a request that broke off leaves the kept hash as it was', () => {
  const hashes = new RunningHashes()
  hashes.keep('s', 3, over('abc'))
  hashes.at('s', 3)!.update('lost')
  expect(hashes.at('s', 3)!.digest('hex')).toBe(hex('abc'))
})

test('a hash of bytes that were accepted at another time, or of another session, is not known', () => {
  const hashes = new RunningHashes()
  hashes.keep('s', 3, over('abc'))
  expect(hashes.at('s', 2)).toBeUndefined()
  expect(hashes.at('other', 3)).toBeUndefined()
})

test('a forgotten session has no hash', () => {
  const hashes = new RunningHashes()
  hashes.keep('s', 3, over('abc'))
  hashes.forget('s')
  expect(hashes.at('s', 3)).toBeUndefined()
})

test('of too many sessions the one that rested longest is forgotten, and only that one', () => {
  const hashes = new RunningHashes()
  for (let number = 0; number < KEPT - 1; number++) hashes.keep(`s${number}`, 1, over('a'))
  hashes.keep('s0', 2, over('ab'))
  hashes.keep('last', 1, over('a'))
  expect(hashes.at('s1', 1)).toBeDefined()
  hashes.keep('new', 1, over('a'))
  expect(hashes.at('s1', 1)).toBeUndefined()
  expect(hashes.at('s0', 2)).toBeDefined()
  expect(hashes.at('s2', 1)).toBeDefined()
  expect(hashes.at('new', 1)).toBeDefined()
})
