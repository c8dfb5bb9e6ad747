// Whether the image of the tasks can be built here: they run on arm64.
import type { CloudConfig } from '../config/cloud.ts'
import type { Finding } from './finding.ts'

/** Runs a program. @returns what it printed, or undefined when it failed or is not there */
export type Run = (program: string, ...args: string[]) => Promise<string | undefined>

const CHECK = 'image'
const ELSEWHERE = 'or name a built image with cloud.image'

/** @param builder the CDK's own variable for another program than docker */
export async function checkImage(
  run: Run,
  { image }: Pick<CloudConfig, 'image'>,
  builder: string | undefined,
): Promise<Finding> {
  if (image !== undefined) return { check: CHECK, status: 'ok', found: `${image}, nothing to build` }
  const program = builder ?? 'docker'
  if ((await run(program, 'version')) === undefined)
    return {
      check: CHECK,
      status: 'fail',
      found: `${program} does not answer, and the image of the tasks is built with it`,
      todo: `install and start ${program}, ${ELSEWHERE}`,
    }
  if (builder !== undefined) return { check: CHECK, status: 'ok', found: `${builder} builds it` }
  if ((await run('docker', 'version', '--format', '{{.Server.Arch}}'))?.trim() === 'arm64')
    return { check: CHECK, status: 'ok', found: 'docker builds it' }
  const platforms = await run('docker', 'buildx', 'inspect')
  if (platforms?.includes('linux/arm64'))
    return { check: CHECK, status: 'ok', found: 'docker builds it, emulating arm64' }
  return {
    check: CHECK,
    status: platforms === undefined ? 'warn' : 'fail',
    found: `docker ${platforms === undefined ? 'does not say whether it builds' : 'does not build'} for arm64, which the tasks run on`,
    todo: `docker run --privileged --rm tonistiigi/binfmt --install arm64, ${ELSEWHERE}`,
  }
}
