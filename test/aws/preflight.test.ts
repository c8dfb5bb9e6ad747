// Preflight as people run it, against AWS as MiniStack has it: an account before and after it is made ready.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ACMClient, RequestCertificateCommand } from '@aws-sdk/client-acm'
import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entrepot } from '../cli/command.ts'
import { type MiniStack, startMiniStack } from '../support/ministack.ts'

const ACCOUNT = '000000000000'
const HOST = 'registry.example.com'

let ministack: MiniStack
let directory: string
let client: { endpoint: string; region: string; credentials: object }
beforeAll(async () => {
  ministack = await startMiniStack({ SERVICES: 'sts,cloudformation,ssm,lambda,acm' })
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-preflight-'))
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  client = { endpoint: ministack.endpoint, region: 'us-east-1', credentials }
})
afterAll(async () => {
  await ministack.stop()
  await rm(directory, { recursive: true, force: true })
})

async function preflight(cloud: object, env: Record<string, string> = {}) {
  const file = path.join(directory, 'entrepot.json')
  await writeFile(file, JSON.stringify({ cloud: { image: 'example.com/entrepot:1', ...cloud } }))
  const ended = await entrepot(['preflight', '--config', file, '--json'], { ...ministack.env, ...env })
  const { ready, checks } = JSON.parse(ended.stdout) as {
    ready: boolean
    checks: { check: string; status: string; found: string; todo?: string }[]
  }
  return { code: ended.code, ready, found: Object.fromEntries(checks.map((each) => [each.check, each])) }
}

test('an account that is not bootstrapped is not ready', async () => {
  const { code, ready, found } = await preflight({})
  expect([code, ready]).toEqual([1, false])
  expect(found.account).toMatchObject({
    status: 'ok',
    found: expect.stringContaining(`${ACCOUNT} in us-east-1`),
  })
  expect(found.bootstrap).toMatchObject({
    status: 'fail',
    todo: `npx cdk bootstrap aws://${ACCOUNT}/us-east-1`,
  })
  expect(found.concurrency!.found).toMatch(/^\d+ functions at once/)
})

test('a bootstrapped account with an issued certificate is ready', async () => {
  const cloudformation = new CloudFormationClient(client as never)
  const TemplateBody = JSON.stringify({
    Resources: {
      Version: {
        Type: 'AWS::SSM::Parameter',
        Properties: { Type: 'String', Name: '/cdk-bootstrap/hnb659fds/version', Value: '28' },
      },
    },
    Outputs: { BootstrapVersion: { Value: { 'Fn::GetAtt': ['Version', 'Value'] } } },
  })
  await cloudformation.send(new CreateStackCommand({ StackName: 'CDKToolkit', TemplateBody }))
  await waitUntilStackCreateComplete(
    { client: cloudformation, maxWaitTime: 30, minDelay: 1 },
    { StackName: 'CDKToolkit' },
  )
  cloudformation.destroy()
  const acm = new ACMClient(client as never)
  const { CertificateArn: certificateArn } = await acm.send(
    new RequestCertificateCommand({ DomainName: '*.example.com', ValidationMethod: 'DNS' }),
  )
  acm.destroy()
  const ready = await preflight({ domain: { name: HOST, certificateArn } })
  expect([ready.code, ready.ready]).toEqual([0, true])
  expect(ready.found.bootstrap!.found).toBe('stack CDKToolkit has version 28')
  expect(ready.found.certificate!.found).toBe(`issued for ${HOST}`)

  const misnamed = await preflight({ domain: { name: 'registry.example.org', certificateArn } })
  expect([misnamed.code, misnamed.found.certificate!.status]).toEqual([1, 'fail'])
})

test('where AWS is not reached, nothing that needs it is judged', async () => {
  const { code, found } = await preflight({}, { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })
  expect(code).toBe(1)
  expect([found.account!.status, found.bootstrap!.status]).toEqual(['fail', 'skip'])
})
