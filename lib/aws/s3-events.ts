// What S3 tells of new objects: as a notification (records) or through EventBridge (one detail). Believed for their
// keys only.

interface S3Record {
  eventName?: string
  s3?: { object?: { key?: string } }
}

/** @returns the keys of objects that were created; an event of another kind has none. @throws SyntaxError */
export function createdKeys(body: string): string[] {
  const event = JSON.parse(body) as {
    Records?: S3Record[]
    'detail-type'?: string
    detail?: { object?: { key?: string } }
  }
  if (event['detail-type'] === 'Object Created') return decoded(event.detail?.object?.key, false)
  return (event.Records ?? [])
    .filter(({ eventName }) => eventName?.includes('ObjectCreated'))
    .flatMap(({ s3 }) => decoded(s3?.object?.key, true))
}

/** Notifications encode their keys as a form does, EventBridge does not. */
function decoded(key: string | undefined, encoded: boolean): string[] {
  if (typeof key !== 'string') return []
  if (!encoded) return [key]
  try {
    return [decodeURIComponent(key.replaceAll('+', ' '))]
  } catch {
    return []
  }
}
