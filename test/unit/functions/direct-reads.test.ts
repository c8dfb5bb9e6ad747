// Blobs that clients put into the store past us, read before anything told of them, through the function.
import { expect, test } from 'vitest'
import { newSecrets, Secrets } from '../../../lib/access/secret-keys.ts'
import { ensureAdmin } from '../../../lib/access/users.ts'
import { httpFunction } from '../../../lib/functions/http-function.ts'
import type { GatewayEvent } from '../../../lib/http/gateway.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { registerDirectUpload } from '../../../lib/registry/direct-uploads.ts'
import { objectKeys } from '../../../lib/registry/object-keys.ts'
import { openRepository } from '../../../lib/registry/repositories.ts'
import { startUpload } from '../../../lib/registry/uploads.ts'
import { ACTOR, once, testRegistry } from '../../domain/registry.ts'

const NAME = 'library/app'
const LAYER = Buffer.from('a layer of the client')
const BASIC = `Basic ${Buffer.from('admin:Harbour-12345').toString('base64')}`

/** A registry with one blob that only the store knows of. */
async function justPut() {
  const registry = await testRegistry({ directUploads: true }, { public: true })
  await ensureAdmin(registry, 'Harbour-12345')
  const core = httpFunction(registry, new Secrets(await newSecrets(), registry.clock), false)
  const ask = async (method: string, path: string, authorization?: string, query = '') => {
    const requestContext = { requestId: 'r', http: { method, sourceIp: '192.0.2.1' } }
    const headers = { host: 'registry.example', ...(authorization ? { authorization } : {}) }
    return core({ rawPath: path, rawQueryString: query, headers, requestContext } satisfies GatewayEvent)
  }
  const bearerFor = async (actions: string, login?: string) => {
    const scope = `service=entrepot&scope=repository:${NAME}:${actions}`
    const { body, isBase64Encoded } = await ask('GET', '/service/token', login, scope)
    return `Bearer ${JSON.parse(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString()).token}`
  }
  const repository = await openRepository(registry, NAME, ACTOR)
  const key = objectKeys.direct(repository.id, digestOf(LAYER), startUpload(registry, repository.id).id)
  await registry.blobs.put(key, once(LAYER))
  const read = async (method: string, authorization?: string) =>
    (await ask(method, `/v2/${NAME}/blobs/${digestOf(LAYER)}`, authorization)).statusCode
  return { registry, key, read, bearerFor }
}

for (const method of ['GET', 'HEAD'])
  test(`whoever may push finds what was just put with ${method} and a token for pulling alone`, async () => {
    const { read, bearerFor } = await justPut()
    expect(await read(method, await bearerFor('pull', BASIC))).toBe(200)
  })

test('a read that meets the event’s registration at any point of it finds the blob', async () => {
  for (const from of ['before the look', 'before the registration'] as const) {
    const { registry, key, read, bearerFor } = await justPut()
    const { list, stat } = registry.blobs
    let told = false
    const tell = async () => {
      if (told) return
      told = true
      expect(await registerDirectUpload(registry, key)).toBe('registered')
    }
    if (from === 'before the look')
      registry.blobs.list = async function* (...args) {
        await tell()
        yield* list.apply(registry.blobs, args)
      }
    else
      registry.blobs.stat = async (asked) => {
        const found = await stat.call(registry.blobs, asked)
        await tell()
        return found
      }
    expect(await read('GET', await bearerFor('pull', BASIC))).toBe(200)
    expect(told).toBe(true)
  }
})

test('nobody has the store looked through who may not push', async () => {
  const { registry, read, bearerFor } = await justPut()
  registry.blobs.list = () => {
    throw new Error('the store was looked through')
  }
  for (const authorization of [undefined, await bearerFor('pull')])
    expect(await read('GET', authorization)).toBe(404)
})
