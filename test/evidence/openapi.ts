// docs/openapi.yaml as schemathesis found it true of a running registry.

import { CHECKS, fuzz, LAST, NOT_CHECKED } from '../schemathesis/fuzz.ts'
import { countsOf, hasStatus, type Reached, reached } from '../schemathesis/reached.ts'

export const title = 'The description of the API, against a running registry'

const RANDOM = 10

export async function collect(): Promise<string> {
  const { version, passed, answered, seconds } = await fuzz(RANDOM)
  const operations = reached(answered)
  const good = operations.filter((each) => hasStatus(each, 2)).length
  const failed = operations.filter((each) => hasStatus(each, 5)).length
  const counts = (statuses: Record<string, number>) =>
    Object.entries(statuses)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')
  const row = ({ operation, method, path, statuses }: Reached) =>
    `| ${operation} | \`${method} ${path}\` | ${counts(statuses)} |`
  return [
    `${version}: the document’s examples, the edges of its schemas and what lies beyond them, and ${RANDOM} random cases for each`,
    `operation; ${answered.length} requests in ${seconds.toFixed(0)} s. It ${passed ? 'found nothing' : '**found failures**'}.`,
    '',
    '| operations | reached with 2xx | answered 5xx | answers by status |',
    '|---|---|---|---|',
    `| ${operations.length} | ${good} (${((100 * good) / operations.length).toFixed(1)} %) | ${failed} | ${counts(countsOf(answered))} |`,
    '',
    'The caller is the first administrator, by Basic login. Path parameters are those of things that were made before (a',
    'project, images, users, groups, members, labels, robots, rules): `test/schemathesis/seeds.ts`. Operations that delete',
    'have things of their own to delete, and answer 404 from then on; the password that is changed is another user’s. Rules',
    'on immutable tags are made in a project of their own, where they protect nothing that others delete.',
    `${LAST.join(', ')} has a run of its own at the end: it may make the registry read-only. Nothing is left out.`,
    'Answers without an operation (405) are to methods that a path does not have. `getCert` has a 2xx only where a private',
    'authority is configured, which is `test/certificates`’ matter.',
    '',
    `Asked of every answer: ${CHECKS.map((each) => `\`${each}\``).join(', ')}. Not asked:`,
    '',
    ...Object.entries(NOT_CHECKED).map(([check, because]) => `- \`${check}\`: ${because}.`),
    '',
    '| operation | request | answers |',
    '|---|---|---|',
    ...operations.map(row),
  ].join('\n')
}
