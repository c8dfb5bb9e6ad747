// TLS from a private authority: clients refuse it first, and work after the step the README documents.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Workplace } from './workplace.ts'

const UNTRUSTED = /x509|unknown authority/
let at: Workplace
beforeAll(async () => {
  at = await openWorkplace({ tls: true })
})
afterAll(() => at.close())

test('crane refuses an unknown authority and works with SSL_CERT_FILE', async () => {
  const image = await at.image('crane', { layers: 1, layerBytes: 10_000 })
  const push = `crane push ${image.layout} ${at.host}/library/crane:v1`
  await expect(at.sh(push)).rejects.toThrow(UNTRUSTED)
  const trusting = { SSL_CERT_FILE: `${at.directory}/ca.crt` }
  await at.sh(`crane auth login ${at.host} -u admin -p $PASSWORD && ${push}`, trusting)
  expect((await at.sh(`crane digest ${at.host}/library/crane:v1`, trusting)).trim()).toBe(image.digest)
})

test('podman refuses an unknown authority and works with its certificate in certs.d', async () => {
  const storage = '--root storage --runroot run --storage-driver vfs'
  const login = `podman ${storage} login -u admin -p $PASSWORD ${at.host}`
  await expect(at.sh(login)).rejects.toThrow(UNTRUSTED)
  const certs = `/etc/containers/certs.d/${at.host}`
  await at.sh(`mkdir -p '${certs}' && cp ca.crt '${certs}/'`)
  try {
    await at.sh(login)
    await at.sh(`podman ${storage} pull -q ${at.host}/library/crane:v1`)
  } finally {
    await at.sh(`rm -r '${certs}'`)
  }
})

test('docker refuses an unknown authority and works with its certificate in certs.d', async () => {
  const { directory } = at
  const certs = `/etc/docker/certs.d/${at.host}`
  const docker = `docker -H unix://${directory}/docker.sock`
  const flags = `--data-root=${directory}/root --exec-root=${directory}/exec --pidfile=${directory}/docker.pid --bridge=none --iptables=false --ip6tables=false --storage-driver=vfs`
  // Docker never verifies loopback registries, so this one is asked at the machine's own address.
  await at.daemon(['dockerd', `--host=unix://${directory}/docker.sock`, ...flags.split(' ')], () =>
    at.sh(`${docker} version`),
  )
  const login = (to: string) => `${docker} login -u admin -p $PASSWORD ${to}`
  const untrusted = await at.sh(`${login(at.host)} 2>&1 || true`)
  expect(untrusted).toMatch(UNTRUSTED)
  await at.sh(`mkdir -p '${certs}' && cp ca.crt '${certs}/'`)
  try {
    expect(await at.sh(login(at.host))).toContain('Login Succeeded')
    await at.sh(`${docker} pull ${at.host}/library/crane:v1`)
  } finally {
    await at.sh(`rm -r '${certs}'`)
  }
}, 120_000)
