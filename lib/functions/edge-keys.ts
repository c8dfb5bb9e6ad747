// What the edge knows: the HMAC keys of upload sessions, and whether blobs may go straight to S3.
import {
  CloudFrontKeyValueStoreClient,
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
  ListKeysCommand,
  ResourceNotFoundException,
  UpdateKeysCommand,
} from '@aws-sdk/client-cloudfront-keyvaluestore'
import '@aws-sdk/signature-v4a' // the only signature this service takes
import type { SecretsDocument } from '../access/secret-keys.ts'

/** The flag's key; session keys are hexadecimal, so it is none of them. */
export const DIRECT = 'direct'

export interface EdgeKeys {
  /** Makes the edge know exactly these session keys. */
  publish(document: SecretsDocument): Promise<void>
  /** @param value `on` for everybody, `off` for nobody, or the name of the only repository */
  setDirect(value: string): Promise<void>
  direct(): Promise<string | undefined>
}

export function edgeKeys(arn: string, client = new CloudFrontKeyValueStoreClient({})): EdgeKeys {
  async function update(puts: Record<string, string>, deletes: string[] = []): Promise<void> {
    const { ETag } = await client.send(new DescribeKeyValueStoreCommand({ KvsARN: arn }))
    await client.send(
      new UpdateKeysCommand({
        KvsARN: arn,
        IfMatch: ETag!,
        Puts: Object.entries(puts).map(([Key, Value]) => ({ Key, Value })),
        Deletes: deletes.map((Key) => ({ Key })),
      }),
    )
  }
  return {
    async publish({ session }) {
      const known = (await client.send(new ListKeysCommand({ KvsARN: arn }))).Items ?? []
      const wanted = Object.fromEntries(session.map(({ id, secret }) => [id, secret]))
      const outdated = known.map(({ Key }) => Key!).filter((key) => key !== DIRECT && !(key in wanted))
      await update(wanted, outdated)
    },
    setDirect: (value) => update({ [DIRECT]: value }),
    async direct() {
      try {
        return (await client.send(new GetKeyCommand({ KvsARN: arn, Key: DIRECT }))).Value
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined
        throw error
      }
    },
  }
}
