// Whether the certificate is where the front door looks for it, is issued, and is for the registry's name.
import type { ACMClient } from '@aws-sdk/client-acm'
import type { CloudConfig } from '../config/cloud.ts'
import type { Account } from './account.ts'
import { type Finding, failed } from './finding.ts'

const CHECK = 'certificate'
/** CloudFront takes certificates from nowhere else. */
const CLOUDFRONT_REGION = 'us-east-1'

/** Of `arn:aws:acm:REGION:ACCOUNT:certificate/ID`. */
function regionOf(arn: string): string {
  return arn.split(':')[3] ?? ''
}

/** @param acmIn opens a client of a region: the certificate's own may be another than the stacks' */
export async function checkCertificate(
  acmIn: (region: string) => Pick<ACMClient, 'send'>,
  cloud: Pick<CloudConfig, 'frontDoor' | 'domain'>,
  account: Account,
): Promise<Finding> {
  const { domain, frontDoor } = cloud
  if (!domain) return { check: CHECK, status: 'ok', found: 'none is needed without a domain' }
  const misplaced = place(domain.certificateArn, frontDoor, account)
  if (misplaced) return misplaced
  if (account.id === undefined)
    return { check: CHECK, status: 'skip', found: 'could not be asked for: the account was not reached' }
  try {
    const { DescribeCertificateCommand } = await import('@aws-sdk/client-acm')
    const { Certificate: certificate } = await acmIn(regionOf(domain.certificateArn)).send(
      new DescribeCertificateCommand({ CertificateArn: domain.certificateArn }),
    )
    const { Status, NotAfter, DomainName, SubjectAlternativeNames: others = [] } = certificate ?? {}
    if (Status !== 'ISSUED')
      return fail(
        `it is ${Status}`,
        Status === 'PENDING_VALIDATION'
          ? 'make the DNS records that ACM shows for it and wait until it is ISSUED'
          : 'request another one and put its ARN into cloud.domain.certificateArn',
      )
    if (NotAfter && NotAfter.getTime() < Date.now())
      return fail(`it expired on ${NotAfter.toISOString()}`, 'import or request a new one')
    const names = [...new Set([...(DomainName ? [DomainName] : []), ...others])]
    if (!names.some((name) => covers(name, domain.name)))
      return fail(
        `it is for ${names.join(', ')}, not for ${domain.name}`,
        `request one for ${domain.name} in ${regionOf(domain.certificateArn)}`,
      )
    return { check: CHECK, status: 'ok', found: `issued for ${domain.name}` }
  } catch (error) {
    return failed(CHECK, error, 'correct cloud.domain.certificateArn (aws acm list-certificates)')
  }
}

/** @returns what is wrong with where it is, read from its ARN alone */
function place(arn: string, frontDoor: CloudConfig['frontDoor'], account: Account): Finding | undefined {
  const region = regionOf(arn)
  const owner = arn.split(':')[4]
  const wanted = frontDoor === 'cloudfront' ? CLOUDFRONT_REGION : account.region
  if (wanted !== undefined && region !== wanted) {
    const who = frontDoor === 'cloudfront' ? 'CloudFront' : 'the load balancer'
    return fail(`it is in ${region}, and ${who} takes it from ${wanted} only`, `request one in ${wanted}`)
  }
  if (account.id !== undefined && owner !== account.id)
    return fail(`it belongs to account ${owner}, not to ${account.id}`, `request one in ${account.id}`)
  return undefined
}

function fail(found: string, todo: string): Finding {
  return { check: CHECK, status: 'fail', found, todo }
}

/** A wildcard stands for exactly one label. */
function covers(name: string, host: string): boolean {
  const [pattern, wanted] = [name.toLowerCase(), host.toLowerCase()]
  if (!pattern.startsWith('*.')) return pattern === wanted
  return wanted.slice(wanted.indexOf('.')) === pattern.slice(1)
}
