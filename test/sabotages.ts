// Every proof has a switch that must turn it red. The test reads SABOTAGE from its environment and
// breaks the thing it proves (a port wrapped, a module patched); the product has no such switch.

import { TWIN } from './suites.ts'

export interface Sabotage {
  name: string
  /** What is broken. */
  breaks: string
  files: string[]
  needs: string[]
  env?: Record<string, string>
  together?: boolean
}

export const SABOTAGES: Sabotage[] = [
  {
    name: 'gc-one-reference',
    breaks: 'one reference for each manifest instead of one for each push attempt',
    files: ['test/model'],
    needs: [],
  },
  {
    name: 'gc-ignore-condemned',
    breaks: 'a pusher takes a condemned link for a live one',
    files: ['test/model'],
    needs: [],
  },
  {
    name: 'gc-reused-key',
    breaks: 'the storage key of a digest is used again',
    files: ['test/model'],
    needs: [],
  },
  {
    name: 'conformance',
    breaks: 'a proxy reverses tag lists and drops digest headers',
    files: ['test/conformance/rc.test.ts', 'test/conformance/main.test.ts'],
    needs: ['oci-conformance-rc', 'oci-conformance-main'],
  },
  {
    name: 'clients-digest',
    breaks: 'every expected digest is another one',
    files: ['test/clients/oras.test.ts'],
    needs: ['oras'],
  },
  {
    name: 'jobs-acknowledged-early',
    breaks: 'messages of jobs are acknowledged before their tasks have run',
    files: ['test/jobs'],
    needs: ['versitygw', 'dynoxide'],
  },
  {
    name: 'replication-swallowed',
    breaks: 'the target acknowledges manifests and keeps none',
    files: ['test/replication/schedule.test.ts', 'test/replication/copies.test.ts'],
    needs: ['docker-registry', 'skopeo', 'crane', 'oras'],
  },
  {
    name: 'replication-forgotten',
    breaks: 'the target has forgotten the upload that an interrupted replication would go on with',
    files: ['test/replication/failures.test.ts'],
    needs: ['docker-registry', 'skopeo', 'crane'],
  },
  {
    name: 'import-blind',
    breaks: 'an import takes content that is not here for the same as there',
    files: ['test/import/entrepot.test.ts'],
    needs: ['skopeo', 'crane', 'oras'],
  },
  {
    name: 'retry-after',
    breaks: 'the target answers 429 without saying for how long',
    files: ['test/replication/limited.test.ts'],
    needs: [],
  },
  {
    name: 'scanning-forgotten',
    breaks:
      'the database that trivy is served has forgotten one advisory of a thousand, and what nobody has fixed',
    files: ['test/scanning/trivy.test.ts'],
    needs: ['trivy', 'trivy-db', 'go', 'crane', 'oras', 'docker-registry'],
  },
  {
    name: 'scan-report',
    breaks: 'the registry’s report lacks a vulnerability that trivy found',
    files: ['test/scanning/scans.test.ts'],
    needs: ['trivy', 'trivy-db', 'go', 'crane', 'oras', 'docker-registry'],
  },
  {
    name: 'security-sums',
    breaks: 'what a scan found before the last one is counted in the sums too',
    files: ['test/scanning/security-hub.test.ts'],
    needs: ['trivy', 'trivy-db', 'go', 'crane', 'oras', 'docker-registry', 'jq', 'python3'],
  },
  {
    name: 'sbom-packages',
    breaks: 'a bill of materials lacks a package that the image has',
    files: ['test/scanning/sbom.test.ts'],
    needs: ['trivy', 'trivy-db', 'go', 'crane', 'oras', 'docker-registry'],
  },
  {
    name: 'scanners-report',
    breaks: 'the registry’s report lacks a vulnerability that the scanner elsewhere found',
    files: ['test/scanners'],
    needs: ['harbor-scanner-trivy', 'redis-server', 'trivy', 'trivy-db', 'go', 'crane', 'oras'],
  },
  {
    name: 'scanner-follows',
    breaks: 'redirects of scanners elsewhere are followed, wherever they lead',
    files: ['test/unit/scanning/adapter.test.ts'],
    needs: [],
  },
  {
    name: 'versions-as-text',
    breaks: 'versions are compared as text',
    files: ['test/unit/sbom/versions.test.ts'],
    needs: [],
  },
  {
    name: 'rematch-old',
    breaks: 'the database stays what it was when reports are matched again',
    files: ['test/scanning/rematch.test.ts'],
    needs: ['trivy', 'trivy-db', 'go', 'crane', 'oras', 'docker-registry'],
  },
  {
    name: 'no-fsync',
    breaks: 'files are acknowledged without having been synced',
    files: ['test/durability/sync.test.ts'],
    needs: ['strace'],
  },
  {
    name: 'edge-any-token',
    breaks: 'the edge takes any signature of a session token',
    files: ['test/property/edge.test.ts', 'test/unit/edge'],
    needs: [],
  },
  {
    name: 'edge-headers',
    breaks: 'the edge hands the client’s headers to S3',
    files: ['test/property/edge.test.ts', 'test/unit/edge'],
    needs: [],
  },
  {
    name: 'harbor-contract',
    breaks: 'answers of the API have strings for numbers, and lists no count',
    files: ['test/harbor/contract.test.ts', 'test/api/projects.test.ts'],
    needs: [],
  },
  {
    name: 'openapi-style',
    breaks: 'operations of docs/openapi.yaml do not say what they do',
    files: ['test/openapi'],
    needs: [],
  },
  {
    name: 'schemathesis',
    breaks: 'a proxy answers 500 where labels are listed',
    files: ['test/schemathesis'],
    needs: ['schemathesis'],
  },
  {
    name: 'roles',
    breaks: 'guests may push',
    files: ['test/access'],
    needs: [],
  },
  {
    name: 'webhook-twice',
    breaks: 'nobody remembers which events were handed to webhooks',
    files: ['test/events/deliveries.test.ts'],
    needs: [],
  },
  {
    name: 'webhook-guard',
    breaks: 'webhooks may go to every address',
    files: ['test/events/deliveries.test.ts'],
    needs: [],
  },
  {
    name: 'proxy-lease',
    breaks: 'nobody looks whether another process fetches already',
    files: ['test/proxy/single-flight.test.ts'],
    needs: ['versitygw', 'dynoxide', 'docker-registry', 'skopeo'],
  },
  {
    name: 'retention-blind',
    breaks: 'a cache forgets without looking whether somebody pulled meanwhile',
    files: ['test/domain/proxy-retention.test.ts'],
    needs: [],
  },
  {
    name: 'any-holder',
    breaks: 'a Harbor that asks where a blob is gets any repository',
    files: ['test/harbor/adapter.test.ts'],
    needs: ['harbor-adapter', 'docker-registry', 'openssl', 'crane', 'oras', 'skopeo'],
  },
  {
    name: 'login-limits',
    breaks: 'each process counts failed logins for itself',
    files: ['test/domain/login-limits.test.ts'],
    needs: [],
  },
  {
    name: 'audit',
    breaks: 'what people do is noted twice',
    files: ['test/api/audit-log.test.ts'],
    needs: [],
  },
  {
    name: 'scan-shared-layers',
    breaks: 'trivy remembers layers by the names that images give them',
    files: ['test/scanning/bad-images.test.ts'],
    needs: ['trivy', 'trivy-db', 'go', 'crane', 'oras'],
  },
  {
    name: 'policy-any-signer',
    breaks: 'projects forget whose signatures they take',
    files: ['test/policy/signatures.test.ts'],
    needs: ['openssl'],
  },
  {
    name: 'policy-all-scan',
    breaks: 'everybody is taken for the scanner',
    files: ['test/policy/vulnerabilities.test.ts'],
    needs: [],
  },
  {
    name: 'policy-no-sbom',
    breaks: 'nobody asks for a bill of materials',
    files: ['test/policy/sbom.test.ts'],
    needs: [],
  },
  {
    name: 'calls',
    breaks: 'DynamoDB is asked everything twice',
    files: ['test/aws/calls.test.ts'],
    needs: ['versitygw', 'dynoxide'],
  },
  {
    name: 'lying-store',
    breaks: 'DynamoDB acknowledges some transactions and does nothing',
    files: ['test/aws/faults.test.ts', 'test/aws/cuts.test.ts'],
    needs: ['versitygw', 'dynoxide'],
  },
  {
    name: 'hoard',
    breaks: 'every piece of a body is kept',
    files: ['test/aws/large.test.ts'],
    needs: ['versitygw', 'dynoxide'],
  },
  {
    name: 'direct-off',
    breaks: 'the deployment has direct uploads off',
    files: ['test/twin/bytes.test.ts'],
    needs: [...TWIN, 'skopeo', 'crane', 'oras', 'regctl'],
    env: { TEST_STORES: 'twin' },
    together: true,
  },
  {
    name: 'rights',
    breaks: 'one right of each program is missing',
    files: ['test/twin/rights.test.ts'],
    needs: [...TWIN, 'skopeo', 'crane', 'oras', 'regctl'],
    env: { TEST_STORES: 'twin' },
    together: true,
  },
  {
    name: 'rights-unused',
    breaks: 'a program has a right that it never uses',
    files: ['test/twin/rights.test.ts'],
    needs: [...TWIN, 'skopeo', 'crane', 'oras', 'regctl'],
    env: { TEST_STORES: 'twin' },
    together: true,
  },
  {
    name: 'edge-viewer',
    breaks: 'the edge takes the client’s own word for where it is',
    files: ['test/twin/logins.test.ts'],
    needs: TWIN,
    env: { TEST_STORES: 'twin' },
    together: true,
  },
  {
    name: 'scan-mute',
    breaks: 'the workers of the cloud are told of no scanner',
    files: ['test/twin/scans.test.ts'],
    needs: [...TWIN, 'trivy', 'trivy-db', 'go', 'crane'],
    env: { TEST_STORES: 'twin' },
    together: true,
  },
]
