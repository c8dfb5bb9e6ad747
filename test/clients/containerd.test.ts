import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from './image.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
const ctr = (command: string) => at.sh(`ctr -a $PWD/containerd.sock ${command}`)

beforeAll(async () => {
  at = await openWorkplace()
  const { directory } = at
  await at.sh(`cat > config.toml <<EOF
version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${directory}/containerd.sock"
EOF`)
  await at.daemon(['containerd', '--config', `${directory}/config.toml`], () => ctr('version'))
}, 120_000)
afterAll(() => at.close())

test('containerd imports a multi-architecture image, pushes all of it and pulls it back', async () => {
  const image = await at.image('multi', { layers: 2, layerBytes: 80_000, architectures: ['amd64', 'arm64'] })
  const name = `${at.host}/library/containerd:v1`
  await at.sh(`tar cf image.tar -C ${image.layout} .`)
  await ctr(`images import --all-platforms --no-unpack --index-name ${name} image.tar`)
  await ctr(`images push --plain-http --user "$LOGIN:$PASSWORD" ${name}`)
  // containerd takes the layout's own index.json for the image.
  const digest = sha256(await readFile(path.join(image.layout, 'index.json')))
  expect((await at.manifest('library/containerd', 'v1')).digest).toBe(expected(digest))
  const before = at.registry.blobBytes
  await ctr(`images tag ${name} ${at.host}/library/containerd:v2`)
  await ctr(`images push --plain-http --user "$LOGIN:$PASSWORD" ${at.host}/library/containerd:v2`)
  expect(at.registry.blobBytes).toBe(before)
  await ctr(`images rm ${name}`)
  const fetched = await ctr(`content fetch --all-platforms --plain-http --user "$LOGIN:$PASSWORD" ${name}`)
  expect(fetched).toContain(digest.slice(7, 19))
})
