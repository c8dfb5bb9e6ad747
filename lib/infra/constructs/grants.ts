// Rights by what a program does, no wider: each function and each task gets the sum of what it does.
import type { ITable } from 'aws-cdk-lib/aws-dynamodb'
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'

/** BatchGetItem, GetItem and Query are what reading takes; writes are single ones, batches and transactions. */
const READ = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query']
const WRITE = [
  'dynamodb:BatchWriteItem',
  'dynamodb:ConditionCheckItem',
  'dynamodb:DeleteItem',
  'dynamodb:PutItem',
]

export function readsItems(table: ITable, grantee: IGrantable): void {
  allow(grantee, READ, [table.tableArn])
}

export function writesItems(table: ITable, grantee: IGrantable): void {
  allow(grantee, WRITE, [table.tableArn])
}

/** Every item there is: checks and repairs. */
export function scansItems(table: ITable, grantee: IGrantable): void {
  allow(grantee, ['dynamodb:Scan'], [table.tableArn])
}

/** Reads, and URLs for those who are sent to the bucket; a missing object is told only to who may list. */
export function readsBlobs(bucket: IBucket, grantee: IGrantable): void {
  allow(grantee, ['s3:GetObject'], [bucket.arnForObjects('b/*')])
  allow(grantee, ['s3:ListBucket'], [bucket.bucketArn])
}

/** A multipart upload is begun, filled and completed with the right to put. */
export function writesBlobs(bucket: IBucket, grantee: IGrantable): void {
  allow(
    grantee,
    ['s3:PutObject', 's3:AbortMultipartUpload', 's3:DeleteObject'],
    [bucket.arnForObjects('b/*')],
  )
}

export function allow(grantee: IGrantable, actions: string[], resources: string[]): void {
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }))
}
