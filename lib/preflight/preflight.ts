// Preflight: what would make a deployment fail half an hour into it, looked at before.
import type { CloudConfig } from '../config/cloud.ts'
import { type Account, checkAccount } from './account.ts'
import { checkBootstrap } from './bootstrap.ts'
import { checkCertificate } from './certificate.ts'
import type { Clients } from './clients.ts'
import { checkConcurrency } from './concurrency.ts'
import type { Finding } from './finding.ts'
import { checkImage, type Run } from './image.ts'
import { checkNodeVersion } from './node-version.ts'

export interface Surroundings {
  clients: Clients
  run: Run
  /** As in process.versions.node. */
  node: string
  /** The CDK's variable CDK_DOCKER. */
  builder: string | undefined
}

/** @param onFinding told of each as soon as it is there */
export async function preflight(
  cloud: CloudConfig,
  { clients, run, node, builder }: Surroundings,
  onFinding: (finding: Finding) => void = () => {},
): Promise<Finding[]> {
  const findings: Finding[] = []
  const found = (finding: Finding) => {
    findings.push(finding)
    onFinding(finding)
  }
  found(checkNodeVersion(node))
  found(await checkImage(run, cloud, builder))
  const { finding, account } = await checkAccount(clients.sts)
  found(finding)
  found(await inAccount(account, 'bootstrap', () => checkBootstrap(clients.cloudformation, account)))
  found(await inAccount(account, 'concurrency', () => checkConcurrency(clients.lambda)))
  found(await checkCertificate(clients.acm, cloud, account))
  return findings
}

/** Without an account everything would fail for the same reason. */
async function inAccount(account: Account, check: string, look: () => Promise<Finding>): Promise<Finding> {
  if (account.id !== undefined) return look()
  return { check, status: 'skip', found: 'not looked at: the account was not reached' }
}
