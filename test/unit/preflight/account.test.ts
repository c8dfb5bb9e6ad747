// What is looked at in the account: who it is, whether it was bootstrapped, how many functions it may run at once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { App, CfnResource, Stack } from 'aws-cdk-lib'
import { expect, test } from 'vitest'
import { checkAccount } from '../../../lib/preflight/account.ts'
import { BOOTSTRAP_VERSION, checkBootstrap } from '../../../lib/preflight/bootstrap.ts'
import { checkConcurrency } from '../../../lib/preflight/concurrency.ts'
import { answering, denial } from './answering.ts'

const ACCOUNT = { id: '111122223333', region: 'eu-west-1' }

test('an account that answers is told with its region and who asked', async () => {
  const sts = answering({ Account: ACCOUNT.id, Arn: 'arn:aws:iam::111122223333:user/ada' }, ACCOUNT.region)
  const { finding, account } = await checkAccount(sts)
  expect(account).toEqual(ACCOUNT)
  expect(finding).toMatchObject({
    status: 'ok',
    found: '111122223333 in eu-west-1, as arn:aws:iam::111122223333:user/ada',
  })
})

test('without credentials the check says how to log in, and keeps the region', async () => {
  const { finding, account } = await checkAccount(
    answering(new Error('Could not load credentials\nat …'), 'eu-west-1'),
  )
  expect(account).toEqual({ region: 'eu-west-1' })
  expect(finding).toMatchObject({ status: 'fail', found: 'Could not load credentials' })
  expect(finding.todo).toContain('aws sts get-caller-identity')
})

test('where AWS is not reached the check speaks of the network, not of logging in', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const { finding } = await checkAccount(answering(refused, 'eu-west-1'))
  expect(finding.todo).toContain('network')
})

test('without a region the check says how to set one', async () => {
  const { finding, account } = await checkAccount(answering({}))
  expect(account).toEqual({})
  expect(finding).toMatchObject({ status: 'fail', found: 'no region is set' })
  expect(finding.todo).toContain('AWS_REGION')
})

const toolkit = (version?: string) =>
  answering({
    Stacks: [
      {
        StackStatus: 'CREATE_COMPLETE',
        Outputs: version === undefined ? [] : [{ OutputKey: 'BootstrapVersion', OutputValue: version }],
      },
    ],
  })

test('an account that was never bootstrapped is told the very command', async () => {
  const missing = answering(new Error('Stack with id CDKToolkit does not exist'))
  expect(await checkBootstrap(missing, ACCOUNT)).toEqual({
    check: 'bootstrap',
    status: 'fail',
    found: 'there is no stack CDKToolkit in eu-west-1',
    todo: 'npx cdk bootstrap aws://111122223333/eu-west-1',
  })
})

test.each([
  ['5', 'fail'],
  ['6', 'ok'],
  ['28', 'ok'],
  [undefined, 'fail'],
])('bootstrap version %s is %s', async (version, status) => {
  expect((await checkBootstrap(toolkit(version), ACCOUNT)).status).toBe(status)
})

test('the version asked for is the one that templates of the CDK assert', () => {
  const outdir = mkdtempSync(path.join(tmpdir(), 'entrepot-bootstrap-'))
  try {
    const app = new App({ outdir, analyticsReporting: false })
    new CfnResource(new Stack(app, 'Any'), 'Nothing', { type: 'AWS::CloudFormation::WaitConditionHandle' })
    const { template } = app.synth().getStackByName('Any')
    expect(template.Rules.CheckBootstrapVersion.Assertions[0].AssertDescription).toContain(
      `version ${BOOTSTRAP_VERSION} required`,
    )
  } finally {
    rmSync(outdir, { recursive: true })
  }
})

test.each([
  [10, 'warn'],
  [99, 'warn'],
  [100, 'ok'],
  [1000, 'ok'],
])('%i functions at once are %s', async (free, status) => {
  const lambda = answering({
    AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: free },
  })
  const finding = await checkConcurrency(lambda)
  expect(finding).toMatchObject({ status, found: expect.stringContaining(`${free} functions`) })
})

test('who may not look is warned and not stopped, because who deploys may be another', async () => {
  const refusing = answering(denial('not authorized to perform: lambda:GetAccountSettings'))
  expect(await checkConcurrency(refusing)).toMatchObject({
    status: 'warn',
    found: 'could not look: not authorized to perform: lambda:GetAccountSettings',
  })
})
