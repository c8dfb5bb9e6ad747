// A delivery: one body posted to one target, as a job. Where it goes and with which secrets is read when it is sent, so that
// a delivery that is repeated goes where the policy says by then.
import type { SealingKeys } from '../access/sealing.ts'
import { type JobContext, JobFailed, type JobKind } from '../jobs/kinds.ts'
import type { AddressGuard } from '../outbound/address-guard.ts'
import { HttpClient, type Incoming } from '../outbound/http-client.ts'
import { OutboundError } from '../outbound/outbound-error.ts'
import type { Attributes } from '../registry/ports.ts'
import type { Body } from './bodies.ts'
import { signatureOf } from './signature.ts'
import type { WebhookEvent } from './webhook-events.ts'
import { findPolicy } from './webhook-policies.ts'
import { authHeaderOf, secretOf, type WebhookPolicy, type WebhookTarget } from './webhook-policy.ts'

/** As long as Harbor waits. */
const ANSWER_MS = 3000
/** The beginning of an answer is kept for the log, if it comes soon. */
const KEPT_BYTES = 1024
const KEPT_MS = 1000

export interface DeliveryParts {
  keys: SealingKeys
  guard: AddressGuard
}

interface Delivery {
  project: string
  policy: number
  target: number
  /** A body is for one kind of target. */
  type: string
  event: WebhookEvent
  contentType: string
  body: string
}

export function deliveryOf(
  policy: WebhookPolicy,
  target: number,
  event: WebhookEvent,
  body: Body,
): Attributes {
  return {
    project: policy.projectId,
    policy: policy.number,
    target,
    type: policy.targets[target]!.type,
    event,
    contentType: body.contentType,
    body: body.text,
  }
}

/** Tried for about eight minutes. One slow receiver has few of the places. */
export function webhookDelivery(parts: DeliveryParts, atOncePerTarget: number): JobKind {
  return {
    attempts: 6,
    retryAfterSeconds: 15,
    timeoutSeconds: 30,
    atOnce: 16,
    atOncePerTarget,
    run: (context) => deliver(parts, context),
  }
}

async function deliver(parts: DeliveryParts, context: JobContext): Promise<void> {
  const { log, show } = context
  const delivery = context.task.payload as unknown as Delivery
  const { policy, target } = await addressee(context, delivery)
  const headers = headersOf(parts.keys, policy, target, delivery, context.deliveryId)
  log(`POST ${withoutQuery(target.address)}`)
  for (const line of shownHeaders(headers)) log(line)
  log(`${Buffer.byteLength(delivery.body)} bytes: ${delivery.body}`)
  const client = new HttpClient({
    guard: parts.guard,
    insecure: target.skipCertVerify,
    connectMs: ANSWER_MS,
    answerMs: ANSWER_MS,
    idleMs: ANSWER_MS,
  })
  try {
    const url = new URL(target.address)
    const answer = await client.exchange({ method: 'POST', url, headers, body: delivery.body })
    show({ status_code: answer.status })
    log(`answered ${answer.status}: ${await beginningOf(answer)}`)
    if (answer.status < 200 || answer.status > 299) throw new Error(refusal(answer))
    log('success to run webhook job')
  } catch (error) {
    // Nothing about it changes until somebody changes the address or the registry's configuration.
    if (error instanceof OutboundError && error.failure === 'forbidden') throw new JobFailed(error.message)
    throw error
  } finally {
    client.close()
  }
}

/** @throws JobFailed when the policy is gone or disabled, or has no such target any more */
async function addressee(
  { registry }: JobContext,
  { project, policy: number, target: index, type }: Delivery,
): Promise<{ policy: WebhookPolicy; target: WebhookTarget }> {
  const policy = await findPolicy(registry, project, number)
  if (!policy) throw new JobFailed(`webhook policy ${number} was deleted`)
  if (!policy.enabled) throw new JobFailed(`webhook policy ${number} is disabled`)
  const target = policy.targets[index]
  if (target?.type !== type) throw new JobFailed(`webhook policy ${number} has no such target any more`)
  return { policy, target }
}

function headersOf(
  keys: SealingKeys,
  policy: WebhookPolicy,
  target: WebhookTarget,
  { event, contentType, body }: Delivery,
  deliveryId: string,
): Record<string, string> {
  const [authHeader, secret] = [authHeaderOf(keys, policy, target), secretOf(keys, policy)]
  return {
    'content-type': contentType,
    'content-length': String(Buffer.byteLength(body)),
    'x-entrepot-event': event,
    'x-entrepot-delivery': deliveryId,
    ...(secret === '' ? {} : { 'x-entrepot-signature': signatureOf(secret, body) }),
    ...(authHeader === '' ? {} : { authorization: authHeader }),
  }
}

function shownHeaders(headers: Record<string, string>): string[] {
  const hidden = ['authorization', 'x-entrepot-signature']
  return Object.entries(headers).map(([name, value]) => `${name}: ${hidden.includes(name) ? '*****' : value}`)
}

/** A redirect is not followed: where it leads nobody has written into the policy. */
function refusal({ status, url }: Incoming): string {
  const why = status >= 300 && status < 400 ? ': redirects are not followed' : ''
  return `${url.host} answered ${status}${why}`
}

/** At most so many bytes of the answer, and what of them came in time; the rest is not waited for. */
async function beginningOf(answer: Incoming): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  const late = setTimeout(() => answer.discard(), KEPT_MS)
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= KEPT_BYTES) break
    }
  } catch {
    // It broke off, or was given up: the status has been said, and that is what counts.
  } finally {
    clearTimeout(late)
    answer.discard()
  }
  const text = Buffer.concat(chunks).subarray(0, KEPT_BYTES).toString('utf8')
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}

/** Queries hold secrets of some receivers. */
function withoutQuery(address: string): string {
  const { origin, pathname } = new URL(address)
  return `${origin}${pathname}`
}
