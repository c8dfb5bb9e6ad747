// Rights by what a program does, no wider: each function and each task names the actions it takes. The twin's test of
// rights fails when one is missing, and when one is never used.
import type { ITable } from 'aws-cdk-lib/aws-dynamodb'
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'

/** Checks, deletions and puts are single ones or parts of transactions. */
type ItemAction =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'ConditionCheckItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PutItem'
  | 'Query'

/** What serving the whole API takes. */
export const ALL_ITEMS: ItemAction[] = [
  'BatchGetItem',
  'BatchWriteItem',
  'ConditionCheckItem',
  'DeleteItem',
  'GetItem',
  'PutItem',
  'Query',
]

/** What events and collecting garbage take. */
export const CHANGES: ItemAction[] = ALL_ITEMS.filter((action) => action !== 'ConditionCheckItem')

/**
 * A multipart upload is begun, filled and completed with the right to put. A missing object is told from a forbidden one
 * only to who may list.
 */
type BlobAction = 'AbortMultipartUpload' | 'DeleteObject' | 'GetObject' | 'ListBucket' | 'PutObject'

export const ALL_BLOBS: BlobAction[] = [
  'AbortMultipartUpload',
  'DeleteObject',
  'GetObject',
  'ListBucket',
  'PutObject',
]

export function allowItems(grantee: IGrantable, table: ITable, actions: ItemAction[]): void {
  allow(
    grantee,
    actions.map((action) => `dynamodb:${action}`),
    [table.tableArn],
  )
}

export function allowBlobs(grantee: IGrantable, bucket: IBucket, actions: BlobAction[]): void {
  const onObjects = actions.filter((action) => action !== 'ListBucket')
  allow(
    grantee,
    onObjects.map((action) => `s3:${action}`),
    [bucket.arnForObjects('b/*')],
  )
  if (actions.includes('ListBucket')) allow(grantee, ['s3:ListBucket'], [bucket.bucketArn])
}

export function allow(grantee: IGrantable, actions: string[], resources: string[]): void {
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }))
}
