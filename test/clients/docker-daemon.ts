// A docker daemon of the test's own.
import path from 'node:path'
import type { Workplace } from './workplace.ts'

/** @returns what its clients need in their environment */
export async function startDocker(at: Workplace): Promise<{ DOCKER_HOST: string; DOCKER_CONFIG: string }> {
  const { directory } = at
  const DOCKER_HOST = `unix://${directory}/docker.sock`
  await at.daemon(
    [
      'dockerd',
      `--host=${DOCKER_HOST}`,
      `--data-root=${directory}/root`,
      `--exec-root=${directory}/exec`,
      `--pidfile=${directory}/docker.pid`,
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
      '--storage-driver=vfs',
      '--insecure-registry=127.0.0.0/8',
    ],
    () => at.sh(`docker -H ${DOCKER_HOST} version`),
  )
  return { DOCKER_HOST, DOCKER_CONFIG: path.join(directory, 'home', 'docker') }
}
