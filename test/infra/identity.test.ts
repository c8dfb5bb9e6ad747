// People of a Cognito pool: made or named, and who may ask it.
import { expect, test } from 'vitest'
import { type Synthesis, synthesise } from '../support/synthesis.ts'

interface Statement {
  Action: string | string[]
  Resource: unknown
}

/** Policies that allow to ask a pool, with the pool. */
function askers(made: Synthesis): [policy: string, resource: unknown][] {
  return Object.values(made.resources).flatMap((stack) =>
    Object.entries(stack)
      .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
      .flatMap(([name, { Properties }]) =>
        (Properties.PolicyDocument as { Statement: Statement[] }).Statement.filter(({ Action }) =>
          [Action].flat().some((each) => each.startsWith('cognito-idp:')),
        ).map((statement): [string, unknown] => {
          expect([statement.Action].flat()).toEqual(['cognito-idp:AdminInitiateAuth'])
          return [name, statement.Resource]
        }),
      ),
  )
}

function poolsTold(made: Synthesis): unknown[] {
  return made
    .ofType('AWS::Lambda::Function')
    .map(({ Properties }) => Properties.Environment as { Variables?: Record<string, unknown> } | undefined)
    .flatMap((each) => each?.Variables?.ENTREPOT_COGNITO_POOL ?? [])
}

test('without Cognito there is no pool, and nobody may ask one', () => {
  const made = synthesise()
  expect(made.ofType('AWS::Cognito::UserPool')).toEqual([])
  expect(askers(made)).toEqual([])
  expect(poolsTold(made)).toEqual([])
})

test('a pool is made that takes no sign-ups, stays, and only lets the registry check passwords', () => {
  const made = synthesise({ cognito: {} })
  const [pool] = made.ofType('AWS::Cognito::UserPool')
  expect(pool).toMatchObject({
    DeletionPolicy: 'Retain',
    Properties: { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true }, DeletionProtection: 'ACTIVE' },
  })
  const [client] = made.ofType('AWS::Cognito::UserPoolClient')
  expect(client!.Properties).toMatchObject({
    ExplicitAuthFlows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    GenerateSecret: false,
    AllowedOAuthFlowsUserPoolClient: false,
    PreventUserExistenceErrors: 'ENABLED',
  })
  expect(askers(made)).toHaveLength(3)
  expect(poolsTold(made).length).toBeGreaterThanOrEqual(3)
})

test('a pool that exists is named, not made', () => {
  const made = synthesise({ cognito: { pool: 'eu-central-1_Ab1Cd2Ef3', client: 'client1' } })
  expect(made.ofType('AWS::Cognito::UserPool')).toEqual([])
  const arn = 'arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_Ab1Cd2Ef3'
  expect(askers(made).map(([, resource]) => resource)).toEqual([arn, arn, arn])
})

test('behind a load balancer the tasks ask the pool', () => {
  const domain = { name: 'registry.example', certificateArn: 'arn:aws:acm:eu-central-1:1:certificate/1' }
  const made = synthesise({ cognito: {}, frontDoor: 'alb', domain })
  expect(askers(made)).toHaveLength(1)
})
