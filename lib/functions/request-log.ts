// The log line and the metrics of each request, as middleware of every HTTP function.
import type { MiddlewareObj } from '@middy/core'
import type { GatewayEvent, GatewayResult } from '../http/gateway.ts'
import { redactedPath } from '../http/redacted-path.ts'
import { routeLabel } from '../http/route-label.ts'
import { logLine, logMetrics } from './log.ts'

const startedAt = new WeakMap<object, number>()

export function requestLog(): MiddlewareObj<GatewayEvent, GatewayResult> {
  return {
    before: ({ event }) => {
      startedAt.set(event, performance.now())
    },
    after: ({ event, response }) => {
      const { requestContext, rawPath, headers } = event
      const status = response?.statusCode ?? 500
      const route = routeLabel(rawPath)
      logMetrics(
        { route },
        {
          requests: { value: 1, unit: 'Count' },
          errors: { value: status >= 500 ? 1 : 0, unit: 'Count' },
          milliseconds: { value: performance.now() - (startedAt.get(event) ?? 0), unit: 'Milliseconds' },
        },
        {
          component: 'http',
          requestId: headers['x-entrepot-request'] ?? requestContext.requestId,
          method: requestContext.http.method,
          path: redactedPath(rawPath),
          status,
          client: headers['user-agent'],
        },
      )
    },
    onError: (request) => {
      // An answer in JSON, whatever happened: API Gateway's own would tell clients nothing.
      logLine({ component: 'http', error: String((request.error as Error).stack) })
      const message = `unknown error: look for request ${request.event.requestContext?.requestId} in the registry’s log`
      request.response = {
        statusCode: 500,
        headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
        body: Buffer.from(JSON.stringify({ errors: [{ code: 'UNKNOWN', message }] })).toString('base64'),
        isBase64Encoded: true,
      }
    },
  }
}
