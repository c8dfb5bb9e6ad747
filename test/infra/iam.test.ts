// The policy checker against cases whose outcome AWS documents.
import { expect, test } from 'vitest'
import { evaluate, type Statement } from '../support/iam.ts'

const allow = (rest: Partial<Statement>): Statement => ({
  Effect: 'Allow',
  Action: 's3:GetObject',
  Resource: '*',
  ...rest,
})
const deny = (rest: Partial<Statement>): Statement => ({ ...allow(rest), Effect: 'Deny' })
const get = { action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' }

const CASES: [string, Statement[], Parameters<typeof evaluate>[1], boolean][] = [
  ['nothing allows it', [], get, false],
  ['an action by its name', [allow({})], get, true],
  ['another action', [allow({ Action: 's3:PutObject' })], get, false],
  ['actions in any case', [allow({ Action: 'S3:getobject' })], get, true],
  ['a wildcard in an action', [allow({ Action: 's3:Get*' })], get, true],
  [
    'a wildcard does not reach another service',
    [allow({ Action: 's3:*' })],
    { ...get, action: 's3express:GetObject' },
    false,
  ],
  ['one of several actions', [allow({ Action: ['s3:PutObject', 's3:GetObject'] })], get, true],
  ['a resource by its name', [allow({ Resource: 'arn:aws:s3:::b/k' })], get, true],
  ['a resource below a prefix', [allow({ Resource: 'arn:aws:s3:::b/*' })], get, true],
  ['the bucket is not its objects', [allow({ Resource: 'arn:aws:s3:::b' })], get, false],
  ['resources in their own case', [allow({ Resource: 'arn:aws:s3:::B/k' })], get, false],
  ['a question mark is one character', [allow({ Resource: 'arn:aws:s3:::b/?' })], get, true],
  ['a dot is a dot', [allow({ Resource: 'arn:aws:s3:::.*' })], get, false],
  ['a denial wins', [allow({}), deny({})], get, false],
  ['a denial wins in any order', [deny({}), allow({})], get, false],
  ['a denial of something else', [allow({}), deny({ Action: 's3:PutObject' })], get, true],
  [
    'NotAction: everything but',
    [deny({ Action: undefined!, NotAction: 's3:PutObject' }), allow({})],
    get,
    false,
  ],
  [
    'NotAction: the one left out',
    [deny({ Action: undefined!, NotAction: 's3:GetObject' }), allow({})],
    get,
    true,
  ],
  [
    'NotResource: elsewhere',
    [deny({ Resource: undefined!, NotResource: 'arn:aws:s3:::b/x' }), allow({})],
    get,
    false,
  ],
  [
    'NotResource: there',
    [deny({ Resource: undefined!, NotResource: 'arn:aws:s3:::b/*' }), allow({})],
    get,
    true,
  ],
  [
    'a condition that holds',
    [allow({ Condition: { StringEquals: { 'aws:SourceAccount': '1' } } })],
    { ...get, context: { 'aws:SourceAccount': '1' } },
    true,
  ],
  [
    'a condition that does not',
    [allow({ Condition: { StringEquals: { 'aws:SourceAccount': '1' } } })],
    { ...get, context: { 'aws:SourceAccount': '2' } },
    false,
  ],
  [
    'a condition on what is absent',
    [allow({ Condition: { StringEquals: { 'aws:SourceAccount': '1' } } })],
    get,
    false,
  ],
  [
    'condition keys in any case',
    [allow({ Condition: { StringEquals: { 'AWS:sourceaccount': '1' } } })],
    { ...get, context: { 'aws:SourceAccount': '1' } },
    true,
  ],
  [
    'all conditions must hold',
    [allow({ Condition: { StringEquals: { a: '1', b: '2' } } })],
    { ...get, context: { a: '1' } },
    false,
  ],
  [
    'one of several values',
    [allow({ Condition: { StringEquals: { a: ['1', '2'] } } })],
    { ...get, context: { a: '2' } },
    true,
  ],
  [
    'Null false: present',
    [deny({ Condition: { Null: { 's3:x-amz-acl': 'false' } } }), allow({})],
    { ...get, context: { 's3:x-amz-acl': 'private' } },
    false,
  ],
  ['Null false: absent', [deny({ Condition: { Null: { 's3:x-amz-acl': 'false' } } }), allow({})], get, true],
  ['Null true: absent', [deny({ Condition: { Null: { k: 'true' } } }), allow({})], get, false],
  [
    'ArnLike',
    [allow({ Condition: { ArnLike: { a: 'arn:aws:cloudfront::1:distribution/*' } } })],
    { ...get, context: { a: 'arn:aws:cloudfront::1:distribution/E' } },
    true,
  ],
  [
    'Bool',
    [deny({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } }), allow({})],
    { ...get, context: { 'aws:SecureTransport': 'false' } },
    false,
  ],
  [
    'the service it is for',
    [allow({ Principal: { Service: 'cloudfront.amazonaws.com' } })],
    { ...get, principal: 'Service:cloudfront.amazonaws.com' },
    true,
  ],
  [
    'another service',
    [allow({ Principal: { Service: 'cloudfront.amazonaws.com' } })],
    { ...get, principal: 'Service:lambda.amazonaws.com' },
    false,
  ],
  ['everybody', [deny({ Principal: { AWS: '*' } }), allow({})], { ...get, principal: 'Service:x' }, false],
]

test.each(CASES)('%s', (_rule, statements, access, allowed) => {
  expect(evaluate([{ Statement: statements }], access).allowed).toBe(allowed)
})

test('what the checker does not know is an error, not a guess', () => {
  const unknown = allow({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })
  expect(() => evaluate([{ Statement: unknown }], get)).toThrow('IpAddress')
})
