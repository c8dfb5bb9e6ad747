// The function CloudFront runs on every request to a dynamic path.
// biome-ignore-all assist/source/organizeImports: the platform's modules come first in what is built
import { cf, crypto } from './platform.ts'
import { applyDecision, type EdgeResponse } from './apply.ts'
import type { EdgeRequest, EdgeSettings } from './request.ts'
import { route } from './router.ts'

/** Filled in when the stack is synthesised. */
declare const INGEST: boolean
declare const INGEST_ORIGIN: string
declare const BLOBS_ORIGIN: string

interface ViewerEvent {
  request: EdgeRequest
  viewer: { ip: string }
  context: { requestId: string }
}

const keys = cf.kvs()

async function signWith(keyId: string, text: string): Promise<string | undefined> {
  try {
    const secret = await keys.get(keyId)
    return crypto.createHmac('sha256', secret).update(text).digest('base64url')
  } catch (_error) {
    return undefined // no such key
  }
}

/** Set by the deployment's probe: to its own repository while it looks, to `on` once S3 was seen to refuse a wrong digest. */
async function directUploads(): Promise<string | undefined> {
  try {
    return await keys.get('direct')
  } catch (_error) {
    return undefined
  }
}

const settings: EdgeSettings = { ingest: INGEST, directUploads: directUploads }

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it by its name
async function handler(event: ViewerEvent): Promise<EdgeRequest | EdgeResponse> {
  const decision = await route(event.request, settings, signWith, Date.now())
  if (decision.kind === 'ingest') cf.selectRequestOriginById(INGEST_ORIGIN)
  if (decision.kind === 'blobs') cf.selectRequestOriginById(BLOBS_ORIGIN)
  return applyDecision(event.request, decision, event.viewer.ip, event.context.requestId)
}
