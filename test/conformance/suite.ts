// Runs the official conformance programs of the distribution specification and reads their junit reports.
//
// tools/install.sh has two of them: the one of the main branch, and the old suite as it stood before v1.1.0 (rc).
// The old suite at v1.1.1 is in no package registry; where tools/bin/oci-conformance-v1 is there, it runs.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findTool } from '../tools.ts'
import { explained } from './failures.ts'

export type OldProgram = 'oci-conformance-v1' | 'oci-conformance-rc'

export interface SuiteResult {
  run: number
  /** Names, each with what the program says of it. */
  failed: string[]
  skipped: string[]
  junit: string
}

/** @param password the administrator's; without login when absent */
export async function runOld(
  program: OldProgram,
  url: string,
  password: string | undefined,
  env: Record<string, string> = {},
): Promise<SuiteResult> {
  return run(program, {
    OCI_ROOT_URL: url,
    OCI_NAMESPACE: 'library/conformance',
    OCI_CROSSMOUNT_NAMESPACE: 'library/conformance-other',
    OCI_AUTOMATIC_CROSSMOUNT: '1',
    OCI_TEST_PULL: '1',
    OCI_TEST_PUSH: '1',
    OCI_TEST_CONTENT_DISCOVERY: '1',
    OCI_TEST_CONTENT_MANAGEMENT: '1',
    OCI_DELETE_MANIFEST_BEFORE_BLOBS: '1',
    ...(password === undefined ? {} : { OCI_USERNAME: 'admin', OCI_PASSWORD: password }),
    ...env,
  })
}

export async function runMain(
  host: string,
  version: string,
  password: string | undefined,
  env: Record<string, string> = {},
): Promise<SuiteResult> {
  return run('oci-conformance-main', {
    OCI_REGISTRY: host,
    OCI_TLS: 'disabled',
    OCI_REPO1: 'library/conformance',
    OCI_REPO2: 'library/conformance-other',
    OCI_VERSION: version,
    // Everything the specification leaves optional and we offer.
    OCI_API_BLOBS_DIGEST_HEADER: 'true',
    OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
    OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
    OCI_API_MANIFESTS_TAG_PARAM: 'true',
    ...(password === undefined ? {} : { OCI_USERNAME: 'admin', OCI_PASSWORD: password }),
    ...env,
  })
}

async function run(program: string, settings: Record<string, string>): Promise<SuiteResult> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-conformance-'))
  try {
    const env = { ...process.env, ...settings, OCI_REPORT_DIR: directory, OCI_RESULTS_DIR: directory }
    const child = spawn(findTool(program)!, [], { cwd: directory, env, stdio: 'ignore' })
    await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject))
    const junit = await readFile(path.join(directory, 'junit.xml'), 'utf8')
    return readJunit(junit, await readFile(path.join(directory, 'report.html'), 'utf8').catch(() => ''))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Both programs write one `testcase` each; what is inside says how it ended. */
function readJunit(junit: string, page: string): SuiteResult {
  const result: SuiteResult = { run: 0, failed: [], skipped: [], junit }
  for (const [, attributes, , body] of junit.matchAll(/<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const name = /\bname="([^"]*)"/.exec(attributes!)?.[1] ?? ''
    if (/<skipped|status="(skipped|disabled)"/i.test(`${attributes}${body ?? ''}`)) result.skipped.push(name)
    else if (/<(failure|error)\b/.test(body ?? '')) result.failed.push(explained(name, body!, page))
    else result.run += 1
  }
  return result
}
