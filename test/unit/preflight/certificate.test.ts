// The certificate of the registry's name: where it is, whose it is, whether it is issued and for that name.
import { expect, test } from 'vitest'
import { checkCertificate } from '../../../lib/preflight/certificate.ts'
import { answering } from './answering.ts'

const ACCOUNT = { id: '111122223333', region: 'eu-west-1' }
const arn = (region: string, account = ACCOUNT.id) => `arn:aws:acm:${region}:${account}:certificate/abc`

interface Case {
  frontDoor?: 'cloudfront' | 'alb'
  name?: string
  certificateArn?: string
  certificate?: object
  account?: { id?: string; region?: string }
}

function check({
  frontDoor = 'cloudfront',
  name = 'registry.example.com',
  certificateArn = arn('us-east-1'),
  certificate = {},
  account = ACCOUNT,
}: Case) {
  const described = { Status: 'ISSUED', DomainName: 'registry.example.com', ...certificate }
  const cloud = { frontDoor, domain: { name, certificateArn } }
  return checkCertificate(() => answering({ Certificate: described }), cloud, account)
}

test('without a domain no certificate is needed', async () => {
  const finding = await checkCertificate(() => answering({}), { frontDoor: 'cloudfront' }, ACCOUNT)
  expect(finding.status).toBe('ok')
})

test.each<[Case['frontDoor'], string, string]>([
  ['cloudfront', 'us-east-1', 'ok'],
  ['cloudfront', 'eu-west-1', 'fail'],
  ['alb', 'eu-west-1', 'ok'],
  ['alb', 'us-east-1', 'fail'],
])('in a deployment to eu-west-1, %s with a certificate in %s is %s', async (frontDoor, region, status) => {
  expect((await check({ frontDoor: frontDoor!, certificateArn: arn(region) })).status).toBe(status)
})

test('a certificate in the wrong region is found without reaching the account', async () => {
  const finding = await check({ certificateArn: arn('eu-west-1'), account: {} })
  expect(finding).toMatchObject({ status: 'fail', todo: 'request one in us-east-1' })
})

test('without the account a certificate in the right region is not judged', async () => {
  expect((await check({ account: { region: 'eu-west-1' } })).status).toBe('skip')
})

test('a certificate of another account is refused', async () => {
  const finding = await check({ certificateArn: arn('us-east-1', '999900001111') })
  expect(finding.found).toBe('it belongs to account 999900001111, not to 111122223333')
})

test.each([
  ['PENDING_VALIDATION', 'DNS records'],
  ['FAILED', 'request another'],
])('a certificate that is %s is refused, with what to do', async (Status, todo) => {
  expect(await check({ certificate: { Status } })).toMatchObject({
    status: 'fail',
    found: `it is ${Status}`,
    todo: expect.stringContaining(todo),
  })
})

test('a certificate that has expired is refused', async () => {
  const finding = await check({ certificate: { NotAfter: new Date('2020-01-01T00:00:00Z') } })
  expect(finding.found).toBe('it expired on 2020-01-01T00:00:00.000Z')
})

test.each([
  ['registry.example.com', 'registry.example.com', 'ok'],
  ['registry.example.com', 'Registry.Example.com', 'ok'],
  ['registry.example.com', '*.example.com', 'ok'],
  ['a.registry.example.com', '*.example.com', 'fail'],
  ['example.com', '*.example.com', 'fail'],
  ['registry.example.com', 'example.com', 'fail'],
])('for %s a certificate of %s is %s', async (name, DomainName, status) => {
  expect((await check({ name, certificate: { DomainName } })).status).toBe(status)
})

test('an alternative name covers as well as the first', async () => {
  const certificate = { DomainName: 'example.com', SubjectAlternativeNames: ['example.com', '*.example.com'] }
  expect((await check({ certificate })).status).toBe('ok')
})

test('a certificate that does not exist is named with what to correct', async () => {
  const acm = answering(new Error('Certificate arn:… not found'))
  const cloud = {
    frontDoor: 'cloudfront' as const,
    domain: { name: 'a.example', certificateArn: arn('us-east-1') },
  }
  expect(await checkCertificate(() => acm, cloud, ACCOUNT)).toMatchObject({
    status: 'fail',
    todo: expect.stringContaining('cloud.domain.certificateArn'),
  })
})
