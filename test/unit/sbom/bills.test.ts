// What is read out of bills of materials, and what somebody may ask of them.
import { expect, test } from 'vitest'
import { readBill } from '../../../lib/sbom/bill.ts'
import { matches, parsePackageQuery } from '../../../lib/sbom/package-query.ts'
import { parsePackageUrl } from '../../../lib/sbom/package-url.ts'

const bytes = (json: unknown) => Buffer.from(JSON.stringify(json))

test('what is neither SPDX nor CycloneDX is nothing', () => {
  for (const each of ['', '[]', 'null', '{', '{"spdxVersion": 2}', '{"bomFormat": "other"}'])
    expect(readBill(Buffer.from(each))).toBeUndefined()
  expect(readBill(bytes({ spdxVersion: 'SPDX-2.3', packages: [null, 'x', { externalRefs: 7 }] }))).toEqual({
    packages: [],
  })
})

test('components of components count, each package once, those without a package URL not', () => {
  const component = (purl: string, version: string) => ({ type: 'library', name: 'x', purl, version })
  const bill = readBill(
    bytes({
      bomFormat: 'CycloneDX',
      components: [
        { type: 'application', name: 'app', components: [component('pkg:npm/%40a/b@1.0.0', '1.0.0')] },
        component('pkg:npm/%40a/b@1.0.0', '1.0.0'),
        { type: 'operating-system', name: 'alpine', version: '3.23.0' },
        { type: 'file', name: 'README' },
        component(`pkg:npm/${'n'.repeat(400)}@1`, '1'),
      ],
    }),
  )
  expect(bill).toEqual({
    system: { name: 'alpine', version: '3.23.0' },
    packages: [{ type: 'npm', namespace: '@a', name: 'b', version: '1.0.0', purl: 'pkg:npm/%40a/b@1.0.0' }],
  })
})

test('package URLs are read, whatever of them is there', () => {
  const read = (text: string) => {
    const url = parsePackageUrl(text)
    return url && [url.type, url.namespace, url.name, url.version]
  }
  expect(read('pkg:deb/debian/zlib1g@1%3A1.2.13?arch=amd64&epoch=1')).toEqual([
    'deb',
    'debian',
    'zlib1g',
    '1:1.2.13',
  ])
  expect(read('pkg:golang/google.golang.org/genproto#googleapis')).toEqual([
    'golang',
    'google.golang.org',
    'genproto',
    '',
  ])
  expect(read('pkg:npm/@angular/core@1.0')).toEqual(['npm', '@angular', 'core', '1.0'])
  expect(read('pkg:Maven/org.apache/a%zz@1')).toEqual(['maven', 'org.apache', 'a%zz', '1'])
  for (const none of ['', 'deb/x', 'pkg:', 'pkg:npm', 'pkg:npm/', 'pkg:1/x'])
    expect(read(none)).toBeUndefined()
})

const has = (query: string, type: string, namespace: string, version: string) =>
  matches(parsePackageQuery(query), { type, namespace, version })

test('a question names a package, where it comes from and between which versions', () => {
  expect(parsePackageQuery('log4j-core < 2.17').name).toBe('log4j-core')
  expect(has('log4j-core<2.17', 'maven', 'org.apache.logging.log4j', '2.3.1')).toBe(true)
  expect(has('log4j-core<2.17', 'maven', 'org.apache.logging.log4j', '2.17.0')).toBe(false)
  expect(
    has('org.apache.logging.log4j:log4j-core>=2.0<2.17', 'maven', 'org.apache.logging.log4j', '1.9'),
  ).toBe(false)
  expect(has('com.example:log4j-core', 'maven', 'org.apache.logging.log4j', '2.0')).toBe(false)
  expect(has('@angular/core', 'npm', '@angular', '1.0.0')).toBe(true)
  expect(has('pkg:npm/minimist@1.2.5', 'npm', '', '1.2.5')).toBe(true)
  expect(has('pkg:npm/minimist@1.2.5', 'npm', '', '1.2.6')).toBe(false)
  expect(has('pkg:deb/debian/openssl', 'apk', 'alpine', '3')).toBe(false)
  // By each one's own rules.
  expect(has('openssl<=3.0.17-1~deb12u2', 'deb', 'debian', '3.0.17-1~deb12u1')).toBe(true)
  expect(has('zlib>1:1', 'deb', 'debian', '2.0')).toBe(false)
})

test('a question that is none is refused', () => {
  for (const each of ['', '<1', 'a<', 'a<<1', 'pkg:x'])
    expect(() => parsePackageQuery(each)).toThrowError(expect.objectContaining({ code: 'REQUEST_INVALID' }))
})
