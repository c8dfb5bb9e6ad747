// Bodies on their way: limited, hashed, compared, collected.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Digest } from '../../../lib/oci/digest.ts'
import { allBytes } from '../../../lib/registry/stored-bytes.ts'
import { digestOfBody, hashed, limited, verified } from '../../../lib/registry/verified-body.ts'

const sum = (algorithm: 'sha256' | 'sha512', text: string) =>
  `${algorithm}:${createHash(algorithm).update(text).digest('hex')}` as Digest

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const chunk of body) all.push(chunk)
  return Buffer.concat(all).toString()
}

test('a body of just the size allowed passes, one byte more is SIZE_INVALID with 413 and the limit', async () => {
  expect(await read(limited(chunks('abc', 'def'), 6))).toBe('abcdef')
  await expect(read(limited(chunks('abc', 'def', 'g'), 6))).rejects.toMatchObject({
    code: 'SIZE_INVALID',
    status: 413,
    message: expect.stringContaining('6 bytes'),
  })
})

test('a body with the digest it should have passes as it is, in either algorithm', async () => {
  for (const algorithm of ['sha256', 'sha512'] as const)
    expect(await read(verified(chunks('ab', 'cd'), sum(algorithm, 'abcd')))).toBe('abcd')
})

test('a body with another digest fails at its end, naming both digests and the size received', async () => {
  const [expected, actual] = [sum('sha256', 'abcd'), sum('sha256', 'abxyz')]
  const failed = await read(verified(chunks('ab', 'xyz'), expected)).catch((error) => error)
  expect(failed).toMatchObject({
    code: 'DIGEST_INVALID',
    status: 400,
    detail: { expected, actual, sizeBytes: 5 },
  })
  for (const named of [expected, actual, '5 bytes']) expect(failed.message).toContain(named)
})

test('hashing a body leaves it as it is', async () => {
  const hash = createHash('sha256')
  expect(await read(hashed(chunks('ab', 'cd'), hash))).toBe('abcd')
  expect(hash.digest('hex')).toBe(createHash('sha256').update('abcd').digest('hex'))
})

test('stored bytes have the same digest at once and in chunks', async () => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    expect(await digestOfBody(Buffer.from('abcd'), algorithm)).toBe(sum(algorithm, 'abcd'))
    expect(await digestOfBody(chunks('ab', 'cd'), algorithm)).toBe(sum(algorithm, 'abcd'))
  }
})

test('collected bytes stay right when the store uses the memory of a chunk again', async () => {
  async function* reusing(): AsyncGenerator<Uint8Array> {
    const memory = Buffer.alloc(2)
    for (const text of ['ab', 'cd']) {
      memory.write(text)
      yield memory
    }
  }
  expect(Buffer.from(await allBytes(reusing())).toString()).toBe('abcd')
  const whole = Buffer.from('whole')
  expect(await allBytes(whole)).toBe(whole)
})
