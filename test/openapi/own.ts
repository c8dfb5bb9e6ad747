// Operations that Harbor does not have, in the words of its file: what they take and answer besides 200 and nothing.
import type { Operation, SwaggerSchema } from '../harbor/swagger.ts'

const text: SwaggerSchema = { type: 'string' }
const texts: SwaggerSchema = { type: 'array', items: text }
const identity: SwaggerSchema = { type: 'object', properties: { identity: text, issuer: text } }
const trust: SwaggerSchema = {
  type: 'object',
  properties: {
    cosign_keys: texts,
    keyless: { type: 'array', items: identity },
    fulcio_certificates: texts,
    rekor_key: text,
    notation_certificates: texts,
  },
}
const schedule: SwaggerSchema = {
  type: 'object',
  properties: {
    schedule: { type: 'object', properties: { type: text, cron: text, next_scheduled_time: text } },
  },
}
const filters = { repository_filter: text, tag_filter: text }

/** By operation. */
export const OWN: Record<string, Partial<Operation>> = {
  getWebhookOptions: {
    responses: {
      '200': { schema: { type: 'object', properties: { ...filters, signed: { type: 'boolean' } } } },
    },
  },
  updateWebhookOptions: {
    parameters: [
      {
        name: 'options',
        in: 'body',
        required: true,
        schema: { type: 'object', properties: { ...filters, secret: text } },
      } as unknown as Operation['parameters'][number],
    ],
  },
  getRematchSchedule: { responses: { '200': { schema: schedule } } },
  updateRematchSchedule: {
    parameters: [
      {
        name: 'schedule',
        in: 'body',
        required: true,
        schema: schedule,
      } as unknown as Operation['parameters'][number],
    ],
    responses: { '200': {}, '409': {} },
  },
  getSignatureTrust: { responses: { '200': { schema: trust } } },
  updateSignatureTrust: {
    parameters: [
      {
        name: 'trust',
        in: 'body',
        required: true,
        schema: trust,
      } as unknown as Operation['parameters'][number],
    ],
  },
  redeliverWebhook: { responses: { '200': {}, '201': { headers: { Location: {} } } } },
}
