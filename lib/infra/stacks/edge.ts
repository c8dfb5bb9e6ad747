// The edge: one host name, and a function that sends each request where it belongs.
import { createHash } from 'node:crypto'
import { CustomResource, Duration, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import {
  CfnDistribution,
  CfnFunction,
  CfnOriginAccessControl,
  CfnVpcOrigin,
} from 'aws-cdk-lib/aws-cloudfront'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { RetentionDays } from 'aws-cdk-lib/aws-logs'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'
import { viewerRequestCode, viewerResponseCode } from '../constructs/edge-code.ts'
import { allow } from '../constructs/grants.ts'
import { RegistryFunction } from '../constructs/registry-function.ts'
import { TRUST_ENVIRONMENT, trustLayers } from '../constructs/trust-layer.ts'
import type { ApiStack } from './api.ts'
import type { DataStack } from './data.ts'
import type { IngestStack } from './ingest.ts'

/** AWS's managed policies: CachingDisabled, CachingOptimized, AllViewerExceptHostHeader, SecurityHeadersPolicy. */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad'
const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6'
const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac'
const SECURITY_HEADERS = '67f7725c-6f97-4210-82d7-5512b31e9d03'

const DYNAMIC_PATHS = ['/v2', '/v2/*', '/service/*', '/api/*', '/c/*']
const ALL_METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']
/** CloudFront would answer a client that asks again too soon with what failed before. */
const ERROR_CODES = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]
/** The longest an origin may take without a byte; a commit of a large upload reads it back. */
const ORIGIN_SECONDS = 120
const PROBE_MINUTES = 14

const ORIGINS = { api: 'api', ingest: 'ingest', blobs: 'blobs', console: 'console' }

export interface EdgeProps extends StackProps {
  data: DataStack
  api: ApiStack
  ingest: IngestStack | undefined
  /** Extra certificate authorities. */
  pem: string | undefined
}

export class EdgeStack extends Stack {
  readonly url: string
  readonly distribution: CfnDistribution
  readonly probed: CustomResource
  readonly probeFunction: RegistryFunction

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: EdgeProps) {
    super(scope, id, props)
    const { data, api, ingest } = props
    const console = this.consoleBucket(cloud)
    const origins = [
      this.apiOrigin(api, data),
      this.bucketOrigin(ORIGINS.console, console),
      // Attached to no behaviour: only the function selects it.
      this.bucketOrigin(ORIGINS.blobs, data.bucket),
      ...(ingest ? [this.ingestOrigin(ingest, data)] : []),
    ]
    const request = this.edgeFunction('ViewerRequest', viewerRequestCode(ORIGINS, ingest !== undefined), data)
    const response = this.edgeFunction('ViewerResponse', viewerResponseCode())
    const functionAssociations = [
      { eventType: 'viewer-request', functionArn: request.attrFunctionArn },
      { eventType: 'viewer-response', functionArn: response.attrFunctionArn },
    ]
    this.distribution = new CfnDistribution(this, 'Distribution', {
      distributionConfig: {
        enabled: true,
        comment: cloud.name,
        httpVersion: 'http2and3',
        ipv6Enabled: true,
        priceClass: 'PriceClass_All',
        origins,
        defaultCacheBehavior: {
          targetOriginId: ORIGINS.console,
          viewerProtocolPolicy: 'redirect-to-https',
          allowedMethods: ['GET', 'HEAD'],
          cachePolicyId: CACHING_OPTIMIZED,
          responseHeadersPolicyId: SECURITY_HEADERS,
          compress: true,
        },
        cacheBehaviors: DYNAMIC_PATHS.map((pathPattern) => ({
          pathPattern,
          targetOriginId: ORIGINS.api,
          // A redirect would send a login in the clear first.
          viewerProtocolPolicy: 'https-only',
          allowedMethods: ALL_METHODS,
          cachePolicyId: CACHING_DISABLED,
          originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
          // Compressed blobs would not have their digest.
          compress: false,
          functionAssociations,
        })),
        // No page for any of them: a page of HTML would be taken for an answer of the API.
        customErrorResponses: ERROR_CODES.map((errorCode) => ({ errorCode, errorCachingMinTtl: 0 })),
        ...(cloud.domain
          ? {
              aliases: [cloud.domain.name],
              viewerCertificate: {
                acmCertificateArn: cloud.domain.certificateArn,
                sslSupportMethod: 'sni-only',
                minimumProtocolVersion: 'TLSv1.2_2021',
              },
            }
          : {}),
      },
    })
    this.letEdgeRead(console)
    this.url = `https://${cloud.domain?.name ?? this.distribution.attrDomainName}`
    this.probeFunction = this.makeProbe(cloud, props)
    this.probed = this.runProbe(cloud)
  }

  private edgeFunction(id: string, functionCode: string, data?: DataStack): CfnFunction {
    return new CfnFunction(this, id, {
      name: `${this.stackName}-${id}`,
      autoPublish: true,
      functionCode,
      functionConfig: {
        comment: id,
        runtime: 'cloudfront-js-2.0',
        ...(data?.edgeKeys
          ? { keyValueStoreAssociations: [{ keyValueStoreArn: data.edgeKeys.attrArn }] }
          : {}),
      },
    })
  }

  private apiOrigin(api: ApiStack, data: DataStack): CfnDistribution.OriginProperty {
    return {
      id: ORIGINS.api,
      domainName: Fn.select(2, Fn.split('/', api.api.apiEndpoint)),
      customOriginConfig: {
        originProtocolPolicy: 'https-only',
        originSslProtocols: ['TLSv1.2'],
        originReadTimeout: 60,
        originKeepaliveTimeout: 60,
      },
      originCustomHeaders: [this.edgeSecret(data)],
    }
  }

  private ingestOrigin({ balancer }: IngestStack, data: DataStack): CfnDistribution.OriginProperty {
    const vpcOrigin = new CfnVpcOrigin(this, 'IngestOrigin', {
      vpcOriginEndpointConfig: {
        name: `${this.stackName}-ingest`,
        arn: balancer.loadBalancerArn,
        httpPort: 80,
        originProtocolPolicy: 'http-only',
      },
    })
    return {
      id: ORIGINS.ingest,
      domainName: balancer.loadBalancerDnsName,
      vpcOriginConfig: {
        vpcOriginId: vpcOrigin.attrId,
        originReadTimeout: ORIGIN_SECONDS,
        originKeepaliveTimeout: 60,
      },
      originCustomHeaders: [this.edgeSecret(data)],
    }
  }

  private bucketOrigin(
    id: string,
    bucket: Pick<IBucket, 'bucketRegionalDomainName'>,
  ): CfnDistribution.OriginProperty {
    const control = new CfnOriginAccessControl(this, `${id}Access`, {
      originAccessControlConfig: {
        name: `${this.stackName}-${id}`,
        originAccessControlOriginType: 's3',
        // Always, so that what a client sends as Authorization never reaches S3.
        signingBehavior: 'always',
        signingProtocol: 'sigv4',
      },
    })
    return {
      id,
      domainName: bucket.bucketRegionalDomainName,
      s3OriginConfig: { originAccessIdentity: '' },
      originAccessControlId: control.attrId,
    }
  }

  /** Resolved when it is deployed: the secret is in no template. */
  private edgeSecret({ keys }: DataStack): CfnDistribution.OriginCustomHeaderProperty {
    return {
      headerName: 'x-entrepot-origin',
      headerValue: `{{resolve:secretsmanager:${keys.secretArn}:SecretString:origin}}`,
    }
  }

  private consoleBucket(cloud: CloudConfig): Bucket {
    return new Bucket(this, 'Console', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: cloud.keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
  }

  private letEdgeRead(console: Bucket): void {
    console.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
        actions: ['s3:GetObject'],
        resources: [console.arnForObjects('*')],
        conditions: {
          StringEquals: {
            'aws:SourceArn': `arn:${this.partition}:cloudfront::${this.account}:distribution/${this.distribution.attrId}`,
          },
        },
      }),
    )
  }

  private makeProbe(cloud: CloudConfig, { data, pem }: EdgeProps): RegistryFunction {
    const keys = data.edgeKeys!.attrArn
    const probe = new RegistryFunction(this, 'Probe', {
      handler: 'probe',
      description: 'Looks at the deployment as clients do',
      memoryMiB: 512,
      timeout: Duration.minutes(PROBE_MINUTES),
      retention: cloud.logRetentionDays as RetentionDays,
      layers: trustLayers(this, pem),
      environment: {
        ...(pem === undefined ? {} : TRUST_ENVIRONMENT),
        ENTREPOT_URL: this.url,
        ENTREPOT_ADMIN_PASSWORD_SECRET: data.adminPassword.secretArn,
        ENTREPOT_EDGE_KEYS: keys,
        ENTREPOT_DIRECT_UPLOADS: cloud.directUploads,
      },
    })
    allow(probe, ['secretsmanager:GetSecretValue'], [data.adminPassword.secretArn])
    allow(
      probe,
      ['DescribeKeyValueStore', 'GetKey', 'UpdateKeys'].map((name) => `cloudfront-keyvaluestore:${name}`),
      [keys],
    )
    return probe
  }

  /** Looks at the finished deployment from outside and switches direct uploads on only where they were seen to be safe. */
  private runProbe(cloud: CloudConfig): CustomResource {
    const probed = new CustomResource(this, 'Probed', {
      serviceToken: this.probeFunction.functionArn,
      serviceTimeout: Duration.minutes(PROBE_MINUTES),
      properties: {
        version: this.probeFunction.currentVersion.version,
        // What runs at the edge: another function is another thing to look at.
        edge: createHash('sha256')
          .update(viewerRequestCode(ORIGINS, cloud.ingest !== 'off') + viewerResponseCode())
          .digest('hex'),
      },
    })
    probed.node.addDependency(this.distribution)
    return probed
  }
}
