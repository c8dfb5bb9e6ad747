import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { algorithmOf, digestOf, finishDigest, isDigest, parseDigest } from '../../../lib/oci/digest.ts'

const hex = (length: number) => 'a'.repeat(length)

test('a digest is sha256 with 64 or sha512 with 128 lowercase hexadecimal characters', () => {
  for (const text of [`sha256:${hex(64)}`, `sha512:${hex(128)}`]) {
    expect(isDigest(text)).toBe(true)
    expect(parseDigest(text)).toBe(text)
  }
  for (const text of [
    `sha256:${hex(63)}`,
    `sha256:${hex(65)}`,
    `sha512:${hex(64)}`,
    `sha256:${'A'.repeat(64)}`,
    `xsha256:${hex(64)}`,
    `sha256:${hex(64)}x`,
    `sha256:${hex(64)}\n`,
    `xsha512:${hex(128)}`,
    `sha512:${hex(128)}x`,
    '',
  ])
    expect(isDigest(text)).toBe(false)
})

test('what is no digest is refused, saying what is wrong with it', () => {
  for (const [text, why] of [
    ['abc', 'expected <algorithm>:<hex>'],
    ['md5:abc', 'use sha256 or sha512'],
    ['sha256:abc', 'sha256 takes 64 lowercase'],
    [`sha512:${hex(64)}`, 'sha512 takes 128 lowercase'],
  ] as const)
    expect(() => parseDigest(text)).toThrow(
      expect.objectContaining({ code: 'DIGEST_INVALID', status: 400, message: expect.stringContaining(why) }),
    )
})

test('a long wrong digest is shown only in part', () => {
  expect(() => parseDigest('x'.repeat(5000))).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{0,260}$/) }),
  )
})

test('digests are computed with their own algorithm', () => {
  const bytes = Buffer.from('content')
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const wanted = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
    expect(digestOf(bytes, algorithm)).toBe(wanted)
    expect(finishDigest(createHash(algorithm).update(bytes), algorithm)).toBe(wanted)
    expect(algorithmOf(digestOf(bytes, algorithm))).toBe(algorithm)
  }
  expect(algorithmOf(digestOf(bytes))).toBe('sha256')
})
