// Docker Hub under its own names, for programs that are given `https://hub.docker.com` literally: the imitation behind
// TLS on port 443 of a loopback address, and a server that finds it there. Everything else is as in earnest: the server
// looks the names up, its guard judges the address, and the certificates are verified.
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createServer } from 'node:tls'
import { promisify } from 'node:util'
import { type DockerHub, startDockerHub } from './docker-hub.ts'
import type { ServerOptions } from './server.ts'

const REGISTRY = 'registry-1.docker.io'
const TOKENS = 'auth.docker.io'

export interface NamedDockerHub {
  hub: DockerHub
  /** What a server has to be started with. */
  server: Required<Pick<ServerOptions, 'preload' | 'env'>>
  stop(): Promise<void>
}

/**
 * @param origin URL of the registry behind it
 * @throws where port 443 may not be opened: that takes root
 */
export async function startNamedDockerHub(origin: string): Promise<NamedDockerHub> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-docker-hub-'))
  const script = `
    ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    openssl req -x509 $ec -days 2 -keyout ca.key -out ca.crt -subj /CN=docker-hub-ca
    openssl req $ec -keyout tls.key -out tls.csr -subj /CN=${REGISTRY}
    printf 'subjectAltName=DNS:${REGISTRY},DNS:${TOKENS}' > san
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out tls.crt`
  await promisify(execFile)('sh', ['-ec', script], { cwd: directory })
  const hub = await startDockerHub({ origin, redirectBlobs: false, realm: `https://${TOKENS}/token` })
  const [key, cert] = await Promise.all(
    ['tls.key', 'tls.crt'].map((file) => readFile(path.join(directory, file))),
  )
  const front = createServer({ key: key!, cert: cert! }, (secure) => {
    const { hostname, port } = new URL(secure.servername === TOKENS ? hub.tokenUrl : hub.url)
    const plain = connect(Number(port), hostname)
    for (const socket of [secure, plain])
      socket.on('error', () => {
        secure.destroy()
        plain.destroy()
      })
    secure.pipe(plain).pipe(secure)
  })
  // An address of its own: other tests may have Docker Hub too.
  const address = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`
  await new Promise<void>((resolve, reject) => front.once('error', reject).listen(443, address, resolve))
  return {
    hub,
    server: {
      preload: [path.join(import.meta.dirname, 'names.ts')],
      env: {
        TEST_NAMES: `${REGISTRY}=${address},${TOKENS}=${address}`,
        NODE_EXTRA_CA_CERTS: path.join(directory, 'ca.crt'),
        ENTREPOT_UPSTREAM_PRIVATE_NETWORKS: '127.0.0.0/8',
      },
    },
    stop: async () => {
      front.close()
      await hub.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
