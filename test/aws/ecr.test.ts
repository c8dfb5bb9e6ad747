// Logins to ECR: what an emulator of AWS answers to our request, whose signature botocore makes too.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ecrAuthorization } from '../../lib/aws/ecr-authorization.ts'
import { type MiniStack, startMiniStack } from '../support/ministack.ts'
import { findTool } from '../tools.ts'

const run = promisify(execFile)
const KEYS = { accessKey: 'AKIAIOSFODNN7EXAMPLE', accessSecret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
/** Signs what it is given as AWS's own library does, at the same moment. */
const BOTOCORE = `
import json, sys
import botocore.auth, botocore.awsrequest, botocore.credentials
given = json.load(sys.stdin)
class At(botocore.auth.SigV4Auth):
    def _modify_request_before_signing(self, request):
        pass
auth = At(botocore.credentials.Credentials(given['key'], given['secret']), given['service'], given['region'])
request = botocore.awsrequest.AWSRequest(method='POST', url=given['url'], data=given['body'], headers=given['headers'])
request.context['timestamp'] = given['headers']['x-amz-date']
print(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
`

interface Asked {
  url: string
  headers: Record<string, string>
  body: string
}

let ministack: MiniStack
let asked: Asked[]
const { fetch } = globalThis
beforeAll(async () => {
  ministack = await startMiniStack({ SERVICES: 'ecr' })
})
afterAll(() => ministack.stop())
beforeEach(() => {
  asked = []
  // AWS's addresses lead to the emulator.
  globalThis.fetch = (url, init) => {
    asked.push({
      url: String(url),
      headers: init!.headers as Record<string, string>,
      body: String(init!.body),
    })
    return fetch(ministack.endpoint, init)
  }
})
afterEach(() => {
  globalThis.fetch = fetch
})

async function signatureByBotocore({ url, headers, body }: Asked, region: string): Promise<string> {
  const python = readFileSync(findTool('ministack')!, 'utf8').split('\n')[0]!.slice(2)
  const signed = /SignedHeaders=([^,]*)/.exec(headers.authorization!)![1]!.split(';')
  const all: Record<string, string> = { ...headers, host: new URL(url).host }
  const given = {
    key: KEYS.accessKey,
    secret: KEYS.accessSecret,
    service: 'ecr',
    region,
    url,
    body,
    headers: Object.fromEntries(signed.map((name) => [name, all[name]])),
  }
  const child = run(python, ['-c', BOTOCORE])
  child.child.stdin!.end(JSON.stringify(given))
  return (await child).stdout.trim()
}

test.each(['us-east-1', 'eu-central-1'])(
  'a registry of %s is logged in to with what its API gives',
  async (region) => {
    const login = await ecrAuthorization(`https://123456789012.dkr.ecr.${region}.amazonaws.com`, KEYS)
    expect(login).toMatchObject({ name: 'AWS', password: 'ministack-auth-token' })
    expect(new URL(login.url).host).toMatch(/^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com$/)
    const hours = (login.expiresAtMs - Date.now()) / 3_600_000
    expect(hours > 11.9 && hours <= 12).toBe(true)
    const [request] = asked
    expect([request!.url, JSON.parse(request!.body)]).toEqual([
      `https://api.ecr.${region}.amazonaws.com/`,
      { registryIds: ['123456789012'] },
    ])
    const [, scope, signature] = /Credential=([^,]*),.*Signature=([0-9a-f]{64})$/.exec(
      request!.headers.authorization!,
    )!
    expect(scope).toMatch(new RegExp(`^${KEYS.accessKey}/\\d{8}/${region}/ecr/aws4_request$`))
    expect(signature).toBe(await signatureByBotocore(request!, region))
    expect(JSON.stringify(request)).not.toContain(KEYS.accessSecret)
  },
)

test('what AWS refuses is said in its words, and a host that is none of its registries is not asked', async () => {
  globalThis.fetch = async () =>
    Response.json(
      { __type: 'UnrecognizedClientException', message: 'The security token is invalid.' },
      { status: 400 },
    )
  await expect(
    ecrAuthorization('https://123456789012.dkr.ecr.us-east-1.amazonaws.com', KEYS),
  ).rejects.toMatchObject({
    failure: 'denied',
    message: expect.stringContaining('UnrecognizedClientException: The security token is invalid.'),
  })
  await expect(ecrAuthorization('https://ecr.example.com', KEYS)).rejects.toThrow('is no registry of ECR')
})
