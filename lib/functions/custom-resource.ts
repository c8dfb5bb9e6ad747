// CloudFormation's custom resources: it asks, and waits for an answer at a URL until its timeout, so there is one whatever
// happens.

export interface CustomResourceEvent {
  RequestType: 'Create' | 'Update' | 'Delete'
  ResponseURL: string
  StackId: string
  RequestId: string
  LogicalResourceId: string
  PhysicalResourceId?: string
  ResourceProperties: Record<string, unknown>
}

export function isCustomResource(event: unknown): event is CustomResourceEvent {
  return typeof (event as Partial<CustomResourceEvent>)?.ResponseURL === 'string'
}

/** Runs `work` for creations and updates; deletions leave everything as it is. */
export async function answerCustomResource(
  event: CustomResourceEvent,
  work: (properties: Record<string, unknown>) => Promise<Record<string, string>>,
): Promise<void> {
  let outcome: { Status: 'SUCCESS' | 'FAILED'; Reason?: string; Data?: Record<string, string> }
  try {
    const Data = event.RequestType === 'Delete' ? {} : await work(event.ResourceProperties)
    outcome = { Status: 'SUCCESS', Data }
  } catch (error) {
    console.error(error)
    outcome = { Status: 'FAILED', Reason: (error as Error).message.slice(0, 1000) }
  }
  const body = JSON.stringify({
    ...outcome,
    PhysicalResourceId: event.PhysicalResourceId ?? event.LogicalResourceId,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  })
  const answer = await fetch(event.ResponseURL, { method: 'PUT', body, headers: { 'content-type': '' } })
  if (!answer.ok) throw new Error(`CloudFormation answered ${answer.status}`)
}
