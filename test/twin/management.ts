// What people and scripts do by the management API, and people of the Cognito pool everywhere: one of everything.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { type Answer, type Asker, askerOf } from '../../lib/doctor/client.ts'
import { CREDENTIALS, REGION } from './cloud.ts'
import type { Twin } from './twin.ts'

export type Management = (
  method: string,
  path: string,
  status: number,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<{ answer: Answer; json: ReturnType<typeof JSON.parse> }>

const basicOf = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** @throws Error when an answer has another status */
export function managementOf(twin: Pick<Twin, 'url'>, name: string, password: string): Management {
  const ask: Asker = askerOf(twin.url, () => undefined)
  return async (method, path, status, body, headers = {}) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await ask(method, `/api/v2.0${path}`, {
      anonymous: true,
      headers: { authorization: basicOf(name, password), ...json, ...headers },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    })
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
    const text = answer.body.toString()
    return { answer, json: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined }
  }
}

/** The first task of a webhook policy, once it has ended. @param executions path of the policy's */
export async function delivered(
  admin: Management,
  executions: string,
): Promise<{ status: string; status_message: string }> {
  for (;;) {
    const { json } = await admin('GET', executions, 200)
    const execution = json.at(-1)
    if (execution?.status === 'Success' || execution?.status === 'Error') {
      const { json: tasks } = await admin('GET', `${executions}/${execution.id}/tasks`, 200)
      return tasks[0]
    }
    await sleep(500)
  }
}

/** @param image a repository of `library` with an image, tagged v1, whose config can be read */
export async function manage(twin: Twin, image: string): Promise<void> {
  const admin = managementOf(twin, 'admin', twin.adminPassword)
  const project = `made-${Date.now().toString(36)}`
  await admin('GET', '/users/current', 200)
  await admin('POST', '/projects', 201, { project_name: project, metadata: { public: 'false' } })
  await admin('GET', `/projects?name=${project}`, 200)
  const { json: members } = await admin('GET', `/projects/${project}/members`, 200)
  if (members.length !== 1) throw new Error(`members: ${JSON.stringify(members)}`)
  const artifact = `/projects/library/repositories/${image}/artifacts/v1`
  await admin('GET', artifact, 200)
  await admin('GET', `${artifact}/additions/build_history`, 200)
  await admin('POST', `${artifact}/tags`, 201, { name: 'again' })
  await admin('DELETE', `${artifact}/tags/again`, 200)
  const copies = `/projects/${project}/repositories/copy/artifacts`
  const hooks = `/projects/${project}/webhook/policies`
  const made = await admin('POST', hooks, 201, {
    name: 'inside',
    enabled: true,
    event_types: ['PUSH_ARTIFACT'],
    targets: [{ type: 'http', address: 'http://10.255.255.1:9/' }],
  })
  await admin('POST', `${copies}?from=library/${image}:v1`, 201)
  const policy = made.answer.headers.get('location')!.split('/').at(-1)
  await delivered(admin, `${hooks}/${policy}/executions`)
  await admin('GET', `/projects/${project}/summary`, 200)
  await admin('DELETE', `${copies}/v1`, 200)
  await admin('DELETE', `/projects/${project}/repositories/copy`, 200)
  await admin('DELETE', `/projects/${project}`, 200)
  await admin('GET', '/auditlog-exts?page_size=5', 200)
}

/** Somebody in the pool, in a group of it. */
export async function joinPool(twin: Twin, name: string, password: string, group: string): Promise<void> {
  const client = new CognitoIdentityProviderClient({
    endpoint: twin.cloud.endpoint,
    credentials: CREDENTIALS,
    region: REGION,
  })
  const UserPoolId = await twin.made.id('identity', 'AWS::Cognito::UserPool')
  await client.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username: name,
      MessageAction: 'SUPPRESS',
      UserAttributes: [{ Name: 'email', Value: `${name}@example.com` }],
    }),
  )
  await client.send(
    new AdminSetUserPasswordCommand({ UserPoolId, Username: name, Password: password, Permanent: true }),
  )
  await client.send(new CreateGroupCommand({ UserPoolId, GroupName: group })).catch(() => {})
  await client.send(new AdminAddUserToGroupCommand({ UserPoolId, Username: name, GroupName: group }))
  client.destroy()
}
