// CloudFront's JavaScript runtime 2.0, as narrow as its documentation: two modules, no network, no timers, no modules of
// Node, 10 KB of code; functions may not touch read-only headers nor set forbidden ones.
import { createHash, createHmac } from 'node:crypto'
import { createContext, Script } from 'node:vm'
import type { EdgeResponse } from '../../lib/edge/apply.ts'
import type { EdgeRequest } from '../../lib/edge/request.ts'

const CODE_LIMIT_BYTES = 10_240
const REQUEST_READ_ONLY = ['content-length', 'host', 'transfer-encoding', 'via']
/** "Edge functions can't add these": the documentation's list of disallowed headers. */
const FORBIDDEN =
  /^(connection|expect|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|trailer|upgrade|x-accel-.*|x-amz-cf-.*|x-amzn-auth|x-amzn-cf-.*|x-amzn-errortype|x-amzn-fle-.*|x-amzn-header-count|x-amzn-lambda-.*|x-cache|x-edge-.*|x-forwarded-proto|x-real-ip)$/

export interface EdgeEvent {
  request: EdgeRequest
  response?: { statusCode: number; statusDescription?: string; headers: EdgeRequest['headers'] }
  viewer: { ip: string }
  context: { requestId: string }
}

export interface EdgeOutcome<Result> {
  result: Result
  /** What the function chose by `selectRequestOriginById`. */
  origin?: string
}

export interface EdgeFunction {
  /** @throws whatever the function throws, and Error when it broke one of the runtime's rules: a 503 at the edge */
  run(event: EdgeEvent): Promise<EdgeOutcome<EdgeRequest | EdgeResponse>>
}

/**
 * @param read a key of the function's key-value store
 * @param strict whether rules about headers are enforced
 */
export function loadEdgeFunction(
  code: string,
  read: (key: string) => Promise<string> | string,
  strict: () => boolean = () => true,
): EdgeFunction {
  if (Buffer.byteLength(code) > CODE_LIMIT_BYTES)
    throw new Error(`the function is ${Buffer.byteLength(code)} bytes`)
  const imports = /^\s*(?:import \w+ from ?["'](?:cloudfront|crypto)["'];?\s*)*/.exec(code)![0]
  const body = code.slice(imports.length)
  if (/\bimport\b|\brequire\b/.test(body))
    throw new Error('imports come first, and only of what the runtime has')
  const script = new Script(`${body}\n;handler`, { filename: 'edge-function.js' })
  return {
    async run(event) {
      // As JSON, so that nothing is shared and nothing but data crosses.
      const given = structuredClone(event)
      let origin: string | undefined
      const cf = {
        kvs: () => ({
          get: async (key: string) => {
            if (typeof key !== 'string' || key.length > 512) throw new Error('InvalidKey')
            return read(key)
          },
        }),
        selectRequestOriginById: (id: string) => {
          origin = id
        },
      }
      const context = createContext(
        { cf, crypto: { createHash, createHmac: textKeyOnly }, Buffer, console: { log() {} } },
        { codeGeneration: { strings: false, wasm: false } },
      )
      const handler = script.runInContext(context) as (event: EdgeEvent) => unknown
      const result = structuredClone((await handler(given)) as EdgeRequest | EdgeResponse)
      if (strict() && event.response === undefined && !('statusCode' in result))
        checkHeaders(event.request, result)
      return origin === undefined ? { result } : { result, origin }
    },
  }
}

/** Its documentation speaks of keys as texts only. */
function textKeyOnly(algorithm: string, key: string) {
  if (typeof key !== 'string') throw new TypeError('the key is no text')
  return createHmac(algorithm, key)
}

function checkHeaders(before: EdgeRequest, after: EdgeRequest): void {
  for (const name of REQUEST_READ_ONLY)
    if (JSON.stringify(before.headers[name]) !== JSON.stringify(after.headers[name]))
      throw new Error(`the function changed the read-only header ${name}`)
  for (const name of Object.keys(after.headers)) {
    if (FORBIDDEN.test(name) && before.headers[name] === undefined)
      throw new Error(`the function set the forbidden header ${name}`)
    if (name !== name.toLowerCase()) throw new Error(`header ${name} is not in lower case`)
  }
  if (!after.uri.startsWith('/')) throw new Error('the path does not begin with /')
}
