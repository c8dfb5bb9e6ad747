import { expect, test } from 'vitest'
import { placeOf } from '../../../lib/access/client-address.ts'

test('an address of IPv4 is a place of its own, in whatever spelling', () => {
  for (const spelled of [
    '192.0.2.7',
    '::ffff:192.0.2.7',
    '::FFFF:c000:207',
    '0:0:0:0:0:ffff:c000:0207',
    ' 192.0.2.7 ',
  ])
    expect(placeOf(spelled)).toBe('192.0.2.7')
  expect(placeOf('192.0.2.8')).not.toBe(placeOf('192.0.2.7'))
})

test('all addresses of a /64 of IPv6 are one place, those of another are not', () => {
  const place = '2001:db8:0:1::/64'
  for (const spelled of [
    '2001:db8:0:1::1',
    '2001:0DB8::1:ffff:ffff:ffff:ffff',
    '2001:db8:0:1:2:3:4:5',
    '[2001:db8:0:1::9]',
  ])
    expect(placeOf(spelled)).toBe(place)
  expect(placeOf('2001:db8:0:2::1')).not.toBe(place)
  expect(placeOf('::1')).toBe('0:0:0:0::/64')
  expect(placeOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
})

test('what is no address is one place for everybody, however it is varied', () => {
  for (const odd of [
    '',
    'unknown',
    '192.0.2',
    '1:2:3',
    '1::2::3',
    '::g',
    '1:2:3:4:5:6:7:8:9',
    `${'1:'.repeat(500)}1`,
  ])
    expect(placeOf(odd)).toBe('unknown')
})
