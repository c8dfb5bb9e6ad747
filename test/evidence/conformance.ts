// The official conformance suites, their junit reports kept beside this page.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { MAIN_SKIPS, OLD_SKIPS } from '../conformance/skips.ts'
import { runMain, runOld, type SuiteResult } from '../conformance/suite.ts'
import { ADMIN_PASSWORD, startServer } from '../support/server.ts'

export const title = 'Conformance'

const folder = path.resolve(import.meta.dirname, '../../docs/evidence/conformance')

export async function collect(): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const rows: string[] = []
  for (const open of [true, false]) {
    const mode = open ? 'open' : 'login'
    const server = await startServer({ open })
    const password = open ? undefined : ADMIN_PASSWORD
    const results: [string, SuiteResult][] = [
      ['v1.1.1', await runOld('oci-conformance-v1', server.url, password)],
      ['main, OCI_VERSION=1.1', await runMain(server.host, '1.1', password)],
      ['main, OCI_VERSION=dev', await runMain(server.host, 'dev', password)],
    ]
    await server.stop()
    for (const [suite, { run, failed, skipped, junit }] of results) {
      const file = `${suite.replace(/[^a-z0-9.]+/gi, '-')}-${mode}.xml`
      writeFileSync(path.join(folder, file), junit.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT'))
      rows.push(
        `| ${suite} | ${mode} | ${run} | ${failed.length} | ${skipped.length} | [junit](conformance/${file}) |`,
      )
    }
  }
  const skips = Object.entries({ ...OLD_SKIPS, ...MAIN_SKIPS }).map(([name, why]) => `- *${name}*: ${why}`)
  return [
    '| suite | mode | passed | failed | skipped | report |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    'What may be skipped, and why (anything else skipped fails `npm run test:conformance`):',
    '',
    ...skips,
  ].join('\n')
}
