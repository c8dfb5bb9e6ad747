import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from './image.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
const ctr = (command: string) => at.sh(`ctr2 -a $PWD/containerd.sock ${command}`)

beforeAll(async () => {
  at = await openWorkplace()
  const { directory } = at
  await at.sh(`cat > config.toml <<EOF
version = 3
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
[grpc]
  address = "${directory}/containerd.sock"
EOF`)
  await at.daemon(['containerd2', '--config', `${directory}/config.toml`], () => ctr('version'))
}, 120_000)
afterAll(() => at.close())

test('containerd 2 pushes a multi-architecture image whole and fetches it back', async () => {
  const image = await at.image('multi', { layers: 2, layerBytes: 80_000, architectures: ['amd64', 'arm64'] })
  const name = `${at.host}/library/containerd2:v1`
  await at.sh(`tar cf image.tar -C ${image.layout} .`)
  await ctr(`images import --local --all-platforms --no-unpack --index-name ${name} image.tar`)
  await ctr(`images push --local --plain-http --user "$LOGIN:$PASSWORD" ${name}`)
  const digest = sha256(await readFile(path.join(image.layout, 'index.json')))
  expect((await at.manifest('library/containerd2', 'v1')).digest).toBe(expected(digest))
  await ctr(`images rm ${name}`)
  const fetched = await ctr(`content fetch --all-platforms --plain-http --user "$LOGIN:$PASSWORD" ${name}`)
  expect(fetched).toContain(digest.slice(7, 19))
})
