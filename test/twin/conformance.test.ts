// The official programs against the deployed registry: through the edge, with TLS and login, blobs straight to S3.
import { beforeAll, expect, test } from 'vitest'
import { MAIN_SKIPS, OLD_SKIPS, unexplained } from '../conformance/skips.ts'
import { runMain, runOld } from '../conformance/suite.ts'
import { findTool } from '../tools.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

let twin: Twin
beforeAll(async () => {
  twin = await sharedTwin()
}, 240_000)
const trusting = () => ({ SSL_CERT_FILE: twin.authority })

for (const program of ['oci-conformance-rc', 'oci-conformance-v1'] as const)
  test.runIf(findTool(program))(
    `${program} passes through the edge`,
    async () => {
      const { run, failed, skipped } = await runOld(program, twin.url, twin.adminPassword, trusting())
      expect(failed).toEqual([])
      expect(unexplained(skipped, OLD_SKIPS)).toEqual([])
      expect(run).toBeGreaterThanOrEqual(75)
    },
    120_000,
  )

test.runIf(findTool('oci-conformance-rc') && !process.env.TWIN_VARIANT)(
  'what was put straight into S3 can be read at once, though no event ever tells of it',
  async () => {
    twin.events.losing(true)
    try {
      const env = {
        ...trusting(),
        OCI_NAMESPACE: 'library/unheard',
        OCI_CROSSMOUNT_NAMESPACE: 'library/unheard-other',
      }
      expect((await runOld('oci-conformance-rc', twin.url, twin.adminPassword, env)).failed).toEqual([])
    } finally {
      twin.events.losing(false)
    }
  },
  120_000,
)

for (const version of ['1.1', 'dev'])
  test(`the suite of main passes for version ${version} through the edge`, async () => {
    const env = { ...trusting(), OCI_TLS: 'enabled' }
    const { run, failed, skipped } = await runMain(twin.host, version, twin.adminPassword, env)
    expect(failed).toEqual([])
    expect(unexplained(skipped, MAIN_SKIPS)).toEqual([])
    expect(run).toBeGreaterThan(700)
  }, 240_000)
