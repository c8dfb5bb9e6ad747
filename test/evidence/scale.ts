// The same operations in an empty registry and in one with a million manifests.
import { beforeAndAfter, openTown } from '../aws/scale.ts'

export const title = 'Scale on DynamoDB'

const MANIFESTS = Number(process.env.SCALE_MANIFESTS ?? 1_000_000)
const REPOSITORIES = 1000

export async function collect(): Promise<string> {
  const town = await openTown()
  const crowd = { project: 'library', repositories: REPOSITORIES, manifestsEach: MANIFESTS / REPOSITORIES }
  const { items, generatedSeconds, empty, full } = await beforeAndAfter(town, crowd)
  await town.close()
  return [
    `${MANIFESTS.toLocaleString('en')} manifests in ${REPOSITORIES.toLocaleString('en')} repositories of one project:`,
    `${items.toLocaleString('en')} items, written in ${generatedSeconds.toFixed(0)} s. Calls are counted on the wire, times are medians of nine`,
    'and include the emulator, which keeps the whole table in memory.',
    '',
    '| operation | calls, 200 manifests | calls, full | ms, 200 manifests | ms, full |',
    '|---|---|---|---|---|',
    ...empty.map(({ operation, calls, ms }, index) => {
      const after = full[index]!
      return `| ${operation} | ${calls} | ${after.calls} | ${ms.toFixed(1)} | ${after.ms.toFixed(1)} |`
    }),
  ].join('\n')
}
