// MiniStack: AWS's other services, as a process of the test's own.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort, listening, runGuarded, stopGuarded } from './aws-stores.ts'

export interface MiniStack {
  endpoint: string
  /** Credentials and region as its clients need them. */
  env: Record<string, string>
  stop(): Promise<void>
}

/** @param env more settings of MiniStack's own */
export async function startMiniStack(env: Record<string, string> = {}): Promise<MiniStack> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-ministack-'))
  const port = await freePort()
  const child = runGuarded(directory, 'ministack', [], {
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    TMPDIR: directory,
    S3_DATA_DIR: path.join(directory, 's3'),
    ...env,
  })
  await listening(port)
  const endpoint = `http://127.0.0.1:${port}`
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
    },
    stop: () => stopGuarded(child),
  }
}
