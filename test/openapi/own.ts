// Operations that Harbor does not have, in the words of its file: what they take and answer besides 200 and nothing.
import type { Operation, SwaggerSchema } from '../harbor/swagger.ts'

const text: SwaggerSchema = { type: 'string' }
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
  redeliverWebhook: { responses: { '200': {}, '201': { headers: { Location: {} } } } },
}
