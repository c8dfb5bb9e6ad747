import { expect, test } from 'vitest'
import { parseContentRange, parseRange, uploadRange } from '../../../lib/oci/range.ts'

test('one range of bytes is understood', () => {
  expect(parseRange('bytes=0-0', 10)).toEqual({ start: 0, end: 0 })
  expect(parseRange(' bytes=2-5 ', 10)).toEqual({ start: 2, end: 5 })
  expect(parseRange('bytes=2-', 10)).toEqual({ start: 2, end: 9 })
  expect(parseRange('bytes=-3', 10)).toEqual({ start: 7, end: 9 })
  expect(parseRange('bytes=-30', 10)).toEqual({ start: 0, end: 9 })
  expect(parseRange('bytes=9-100', 10)).toEqual({ start: 9, end: 9 })
})

test('a range outside the bytes cannot be satisfied', () => {
  for (const header of ['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=5-4'])
    expect(parseRange(header, 10)).toBe('unsatisfiable')
  for (const header of ['bytes=0-', 'bytes=-1']) expect(parseRange(header, 0)).toBe('unsatisfiable')
})

test('anything else is ignored', () => {
  for (const header of [
    undefined,
    '',
    'bytes=-',
    'bytes=a-b',
    'bytes=0-1,2-3',
    'lines=0-1',
    'bytes 0-1',
    'bytes=0-1x',
    'xbytes=0-1',
    `bytes=${'9'.repeat(17)}-`,
  ])
    expect(parseRange(header, 10)).toBeUndefined()
})

test('a chunk’s range is read with or without its unit', () => {
  for (const header of ['0-9', ' 0-9 ', 'bytes 0-9', 'bytes=0-9', '0-9/10', 'bytes 0-9/*'])
    expect(parseContentRange(header)).toEqual({ start: 0, end: 9 })
  expect(parseContentRange('5-5')).toEqual({ start: 5, end: 5 })
  expect(parseContentRange(undefined)).toBeUndefined()
})

test('a malformed chunk range is refused and shown', () => {
  for (const header of [
    '',
    'x',
    '-9',
    '0-',
    '9-0',
    '0-9-9',
    '0-9/x',
    `0-${'9'.repeat(16)}`,
    'pages 0-9',
    '0-9 x',
  ])
    expect(() => parseContentRange(header)).toThrow(
      expect.objectContaining({
        code: 'BLOB_UPLOAD_INVALID',
        message: expect.stringContaining('expected <start>-<end>'),
      }),
    )
})

test('the range of an upload ends at its last byte, and an empty one is 0-0 too', () => {
  expect([uploadRange(0), uploadRange(1), uploadRange(10)]).toEqual(['0-0', '0-0', '0-9'])
})
