// Bytes of pushes through the deployed registry: what was sent, what was stored, who read them.
import { openWorkplace } from '../clients/workplace.ts'
import { findTool } from '../tools.ts'
import { measure, PUSHERS } from '../twin/bytes.ts'
import { sharedTwin } from '../twin/shared.ts'

export const title = 'Bytes of a push'

export async function collect(): Promise<string> {
  process.env.TEST_STORES = 'twin'
  const twin = await sharedTwin()
  const at = await openWorkplace()
  const rows: string[] = []
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  for (const pusher of PUSHERS.filter(({ needs }) => needs.every(findTool))) {
    const image = await at.image(pusher.client, { layers: 2, layerBytes: 2 ** 30, compression: 'none' })
    const { image: size, sent, stored, ingest, functions } = await measure(twin, at, pusher, image)
    rows.push(
      `| ${pusher.client} | ${pusher.family} | ${[size, sent, stored, ingest, functions].map(mib).join(' | ')} |`,
    )
    await at.sh(`rm -rf ${image.layout}`)
  }
  await at.close()
  await twin.stop()
  return [
    'An image of two layers of 1 GiB pushed through the twin: real CDK deployment in MiniStack, edge functions, origin',
    'access control, versitygw as S3. MiB. *Image*: files on disk. *Sent*: bodies that reached the edge. *Stored*: sizes',
    'in the S3 server’s access log and, where that has none (objects made of parts), of its files. *Ingest*, *functions*: everything those processes read, from proc(5) `rchar`,',
    'which includes tokens, items and their own files.',
    '',
    '| client | family | image | sent | stored | read by ingest | read by functions |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
