// Evaluates IAM policies: an explicit denial wins, nothing is allowed unless something allows it. Only what our policies
// use is known; anything else is an error rather than a guess.

export interface Statement {
  Sid?: string
  Effect: 'Allow' | 'Deny'
  Principal?: '*' | Record<string, string | string[]>
  Action?: string | string[]
  NotAction?: string | string[]
  Resource?: string | string[]
  NotResource?: string | string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

export interface Policy {
  Statement: Statement | Statement[]
}

export interface Access {
  action: string
  resource: string
  /** `Service:cloudfront.amazonaws.com` or `AWS:arn…`; only resource policies ask for it. */
  principal?: string
  /** Condition keys of the request, such as `s3:x-amz-acl`; absent ones are absent. */
  context?: Record<string, string>
}

export interface Verdict {
  allowed: boolean
  /** The statement that decided; absent when nothing allows it. */
  by?: Statement
}

export function evaluate(policies: Policy[], access: Access): Verdict {
  const applying = policies
    .flatMap(({ Statement }) => Statement)
    .filter((statement) => applies(statement, access))
  const denial = applying.find(({ Effect }) => Effect === 'Deny')
  if (denial) return { allowed: false, by: denial }
  const allowance = applying.find(({ Effect }) => Effect === 'Allow')
  return allowance ? { allowed: true, by: allowance } : { allowed: false }
}

function applies(statement: Statement, access: Access): boolean {
  return (
    principalMatches(statement, access.principal) &&
    includes(statement.Action, statement.NotAction, access.action, true) &&
    includes(statement.Resource, statement.NotResource, access.resource, false) &&
    conditionsHold(statement.Condition ?? {}, access.context ?? {})
  )
}

function principalMatches({ Principal }: Statement, principal: string | undefined): boolean {
  if (Principal === undefined) return true
  if (Principal === '*') return true
  return Object.entries(Principal).some(([kind, names]) =>
    [names].flat().some((name) => (kind === 'AWS' && name === '*') || `${kind}:${name}` === principal),
  )
}

/** Actions are compared without case. */
function includes(
  list: string | string[] | undefined,
  notList: string | string[] | undefined,
  value: string,
  anyCase: boolean,
): boolean {
  if ((list === undefined) === (notList === undefined))
    throw new Error(`a statement has one of each list and its opposite: ${JSON.stringify({ list, notList })}`)
  const found = [(list ?? notList)!].flat().some((pattern) => like(pattern, value, anyCase))
  return list === undefined ? !found : found
}

function like(pattern: string, value: string, anyCase: boolean): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, anyCase ? 'is' : 's').test(value)
}

const OPERATORS: Record<string, (wanted: string[], given: string | undefined) => boolean> = {
  StringEquals: (wanted, given) => given !== undefined && wanted.includes(given),
  StringNotEquals: (wanted, given) => given === undefined || !wanted.includes(given),
  StringLike: (wanted, given) => given !== undefined && wanted.some((each) => like(each, given, false)),
  ArnLike: (wanted, given) => given !== undefined && wanted.some((each) => like(each, given, false)),
  Bool: (wanted, given) => given !== undefined && wanted.includes(given),
  Null: (wanted, given) => wanted.includes(String(given === undefined)),
}

function conditionsHold(
  conditions: NonNullable<Statement['Condition']>,
  context: Record<string, string>,
): boolean {
  // Keys of conditions are compared without case.
  const keys = Object.fromEntries(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]))
  return Object.entries(conditions).every(([operator, pairs]) => {
    const holds = OPERATORS[operator]
    if (!holds) throw new Error(`the operator ${operator} is unknown`)
    return Object.entries(pairs).every(([key, wanted]) =>
      holds([wanted].flat().map(String), keys[key.toLowerCase()]),
    )
  })
}
