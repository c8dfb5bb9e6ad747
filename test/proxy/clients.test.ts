// Real clients pull through a cache: by its project, and as mirror clients that know the upstream's name.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CACHE, openPlace, type Place } from './place.ts'

let at: Place
let host: string
beforeAll(async () => {
  at = await openPlace(1)
  host = at.servers[0]!.host
})
afterAll(() => at.close())

const IMAGE = { layers: 3, layerBytes: 100_000 }
const INDEX = { ...IMAGE, architectures: ['amd64', 'arm64'] }

test('crane and skopeo find the same digest in the cache as upstream, of images and of indexes', async () => {
  for (const [name, options] of Object.entries({ image: IMAGE, index: INDEX })) {
    const published = await at.publish(`library/${name}:v1`, options)
    for (const repository of [`${CACHE}/library/${name}`, `${CACHE}/${name}`])
      expect((await at.sh(`crane digest --insecure ${host}/${repository}:v1`)).trim()).toBe(published.digest)
    const raw = (where: string) =>
      at.sh(`skopeo inspect --raw --tls-verify=false docker://${where}/library/${name}:v1`)
    expect(await raw(`${host}/${CACHE}`)).toBe(await raw(at.origin.host))
    expect(published.digest).toBe(
      (await at.sh(`crane digest --insecure ${at.origin.host}/library/${name}:v1`)).trim(),
    )
  }
})

test('skopeo copies a whole index out of the cache, and nothing of it is other', async () => {
  const published = await at.publish('library/whole:v1', INDEX)
  await at.sh(
    `skopeo copy -q --all --preserve-digests --src-tls-verify=false docker://${host}/${CACHE}/library/whole:v1 oci:copied:v1`,
  )
  const index = JSON.parse(await at.sh('cat copied/index.json')) as { manifests: { digest: string }[] }
  expect(index.manifests[0]!.digest).toBe(published.digest)
  await at.sh(`crane validate --insecure --remote ${host}/${CACHE}/library/whole:v1`)
})

test('a signature that hangs on an image comes along', async () => {
  await at.publish('library/signed:v1', IMAGE)
  await at.sh(`
    echo signature > signature.txt
    oras attach --plain-http --artifact-type application/x.signature ${at.origin.host}/library/signed:v1 signature.txt:text/plain`)
  const seen = await at.sh(`oras discover --plain-http --format json ${host}/${CACHE}/library/signed:v1`)
  const upstream = await at.sh(`oras discover --plain-http --format json ${at.origin.host}/library/signed:v1`)
  const digests = (text: string) => [...text.matchAll(/"digest": "(sha256:\w+)"/g)].map(([, each]) => each)
  expect(digests(seen)).toEqual(digests(upstream))
  expect(digests(seen).length).toBeGreaterThan(0)
})

test('nobody pushes to a cache, and reads why', async () => {
  const image = await at.publish('library/pushed:v1', IMAGE)
  await at.sh(`crane auth login ${host} -u admin -p Harbour-test-12345 --insecure`)
  await expect(
    at.sh(`crane push --insecure ${image.layout} ${host}/${CACHE}/library/pushed:v2`),
  ).rejects.toThrow(/can not push artifact to a proxy project: hub-cache/)
})

test('podman pulls through a mirror as registries.conf has it, by the upstream’s own name', async () => {
  const published = await at.publish('library/podman:v1', IMAGE)
  await writeFile(
    path.join(at.directory, 'registries.conf'),
    `[[registry]]
prefix = "docker.io"
location = "registry.invalid"

[[registry.mirror]]
location = "${host}/${CACHE}"
insecure = true
`,
  )
  const podman = 'podman --root storage --runroot run --storage-driver vfs'
  await at.sh(`CONTAINERS_REGISTRIES_CONF=registries.conf ${podman} pull -q docker.io/library/podman:v1`)
  const seen = await at.sh(`${podman} image inspect --format '{{.Digest}}' docker.io/library/podman:v1`)
  expect(seen.trim()).toBe(published.digest)
})

test('containerd pulls through a mirror as hosts.toml has it, and says whose names it means', async () => {
  const { status } = await at.admin('PUT', '/configurations', { proxy_mirrors: `docker.io=${CACHE}` })
  expect(status).toBe(200)
  const published = await at.publish('library/containerd:v1', IMAGE)
  const asked = await at.sh(`
    mkdir -p certs/docker.io
    cat > certs/docker.io/hosts.toml <<EOF
server = "https://registry.invalid"
[host."http://${host}"]
  capabilities = ["pull", "resolve"]
EOF
    cat > config.toml <<EOF
version = 2
root = "$PWD/root"
state = "$PWD/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$PWD/containerd.sock"
EOF
    containerd --config config.toml >containerd.log 2>&1 &
    daemon=$!
    trap 'kill $daemon; wait $daemon || true' EXIT
    for try in $(seq 300); do ctr -a $PWD/containerd.sock version >/dev/null 2>&1 && break; sleep 0.1; done
    ctr -a $PWD/containerd.sock content fetch --hosts-dir $PWD/certs docker.io/library/containerd:v1 >/dev/null
    ctr -a $PWD/containerd.sock images ls -q name==docker.io/library/containerd:v1
    ctr -a $PWD/containerd.sock images ls | grep -o 'sha256:[0-9a-f]*'`)
  expect(asked).toContain(published.digest)
})

test('docker pulls through a mirror as daemon.json has it: what is not here comes from the default one', async () => {
  await at.admin('PUT', '/configurations', { proxy_mirrors: `*=${CACHE}` })
  const published = await at.publish('library/docker:v1', IMAGE)
  const several = await at.publish('team/several:v1', INDEX)
  const pulled = await at.sh(`
    mkdir docker && cd docker
    echo '{ "registry-mirrors": ["http://${host}"] }' > daemon.json
    dockerd --config-file=daemon.json --host=unix://$PWD/docker.sock --data-root=$PWD/root --exec-root=$PWD/exec \
      --pidfile=$PWD/pid --bridge=none --iptables=false --ip6tables=false --storage-driver=vfs >log 2>&1 &
    daemon=$!
    trap 'kill $daemon; wait $daemon || true' EXIT
    for try in $(seq 300); do docker -H unix://$PWD/docker.sock version >/dev/null 2>&1 && break; sleep 0.1; done
    for image in docker:v1 team/several:v1; do
      docker -H unix://$PWD/docker.sock pull -q $image
      docker -H unix://$PWD/docker.sock image inspect --format '{{.RepoDigests}}' $image
    done
    docker -H unix://$PWD/docker.sock info --format '{{.RegistryConfig.Mirrors}}'`)
  expect(pulled).toContain(`docker@${published.digest}`)
  expect(pulled).toContain(`team/several@${several.digest}`)
  expect(pulled).toContain(`[http://${host}/]`)
  // It came through the cache, which has fetched the config and the layers of one platform.
  const found = await at.admin('GET', `/projects/${CACHE}/repositories?page_size=100`)
  expect(found.json.map((each: { name: string }) => each.name)).toEqual(
    expect.arrayContaining([`${CACHE}/library/docker`, `${CACHE}/team/several`]),
  )
})
