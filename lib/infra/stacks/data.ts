// What must outlive every deployment: the table, the bucket, the secrets.
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { CfnKeyValueStore } from 'aws-cdk-lib/aws-cloudfront'
import { AttributeType, BillingMode, type ITable, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb'
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { BUCKET } from '../../aws/bucket.ts'
import { TABLE } from '../../aws/table.ts'
import type { CloudConfig } from '../../config/cloud.ts'

export class DataStack extends Stack {
  // As interfaces, by a cast: the library's classes are looser than exactOptionalPropertyTypes likes.
  readonly table: ITable
  readonly bucket: IBucket
  /** The registry's keys, and what the edge sends along. */
  readonly keys: Secret
  readonly adminPassword: Secret
  /** The edge's copy of the session keys; absent without an edge. */
  readonly edgeKeys: CfnKeyValueStore | undefined

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: StackProps) {
    super(scope, id, props)
    const removalPolicy = cloud.keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
    this.table = new Table(this, 'Table', {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: TABLE.expiry,
      stream: StreamViewType.NEW_IMAGE,
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        recoveryPeriodInDays: BUCKET.noncurrentDays,
      },
      deletionProtection: cloud.keep,
      removalPolicy,
    }) as ITable
    const bucket = new Bucket(this, 'Bucket', {
      versioned: BUCKET.versioned,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        {
          abortIncompleteMultipartUploadAfter: Duration.days(BUCKET.abandonedUploadDays),
          noncurrentVersionExpiration: Duration.days(BUCKET.noncurrentDays),
          expiredObjectDeleteMarker: true,
        },
      ],
      removalPolicy,
    })
    this.bucket = bucket as IBucket
    // By the property itself: the construct's own way is a custom resource.
    ;(bucket.node.defaultChild as CfnBucket).addPropertyOverride('NotificationConfiguration', {
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    })
    this.keys = new Secret(this, 'Keys', {
      description:
        'Keys of upload sessions and tokens, and what the edge sends along; kept by the setup function',
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'origin',
        passwordLength: 48,
        excludePunctuation: true,
      },
      removalPolicy,
    })
    this.adminPassword = new Secret(this, 'AdminPassword', {
      description:
        'The password of user admin; a new value counts once the setup function was invoked with {"task":"password"}',
      generateSecretString: { passwordLength: 24, excludePunctuation: true },
      removalPolicy,
    })
    if (cloud.frontDoor === 'cloudfront') {
      this.edgeKeys = new CfnKeyValueStore(this, 'EdgeKeys', { name: `${cloud.name}-edge-keys` })
      this.letEdgePut()
    }
  }

  /** Fail closed: CloudFront may put blobs and nothing else, and without anything that S3 takes orders from. */
  private letEdgePut(): void {
    const cloudfront = new ServicePrincipal('cloudfront.amazonaws.com')
    const ours = {
      StringEquals: { 'aws:SourceAccount': this.account },
      ArnLike: { 'aws:SourceArn': `arn:${this.partition}:cloudfront::${this.account}:distribution/*` },
    }
    const blobs = this.bucket.arnForObjects('b/*')
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EdgePutsBlobs',
        principals: [cloudfront],
        actions: ['s3:PutObject'],
        resources: [blobs],
        conditions: ours,
      }),
    )
    const orders = [
      's3:x-amz-copy-source',
      's3:x-amz-acl',
      's3:x-amz-storage-class',
      's3:x-amz-website-redirect-location',
    ]
    for (const [index, order] of orders.entries())
      this.bucket.addToResourcePolicy(
        new PolicyStatement({
          sid: `EdgeGivesNoOrders${index}`,
          effect: Effect.DENY,
          principals: [cloudfront],
          actions: ['s3:PutObject'],
          resources: [this.bucket.arnForObjects('*')],
          conditions: { Null: { [order]: 'false' } },
        }),
      )
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EdgePutsNothingElse',
        effect: Effect.DENY,
        principals: [cloudfront],
        notActions: ['s3:PutObject'],
        resources: [this.bucket.bucketArn, this.bucket.arnForObjects('*')],
      }),
    )
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EdgePutsNowhereElse',
        effect: Effect.DENY,
        principals: [cloudfront],
        actions: ['s3:*'],
        notResources: [blobs],
      }),
    )
    // Nobody, ours included, may make an object public or tag it.
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'NoAclsNoTags',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:PutObjectAcl', 's3:PutObjectVersionAcl', 's3:PutObjectTagging'],
        resources: [this.bucket.arnForObjects('*')],
      }),
    )
  }
}
