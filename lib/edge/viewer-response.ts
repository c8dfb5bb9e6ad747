// The function CloudFront runs on answers below 400.
import { answerUpload, type ViewerResponse } from './answer.ts'
import type { EdgeRequest } from './request.ts'

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it by its name
function handler(event: { request: EdgeRequest; response: ViewerResponse }): ViewerResponse {
  return answerUpload(event.request, event.response)
}
