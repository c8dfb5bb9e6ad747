// Whether the image of the tasks can be built on this machine.
import { expect, test } from 'vitest'
import { checkImage } from '../../../lib/preflight/image.ts'

/** A machine that answers these command lines, and no others. */
const machine =
  (answers: Record<string, string>) =>
  async (program: string, ...args: string[]) =>
    answers[[program, ...args].join(' ')]

const ARCH = 'docker version --format {{.Server.Arch}}'

test('an image that is named is not built, so nothing is asked of docker', async () => {
  const finding = await checkImage(machine({}), { image: 'example.com/entrepot:1' }, undefined)
  expect(finding.status).toBe('ok')
})

test('without docker the check says what to start, or what to configure instead', async () => {
  const finding = await checkImage(machine({}), {}, undefined)
  expect(finding).toMatchObject({ status: 'fail', todo: expect.stringContaining('cloud.image') })
})

test.each([
  ['on arm64', { [ARCH]: 'arm64\n' }, 'ok'],
  ['with emulation', { [ARCH]: 'amd64\n', 'docker buildx inspect': 'linux/amd64, linux/arm64' }, 'ok'],
  ['for amd64 alone', { [ARCH]: 'amd64\n', 'docker buildx inspect': 'linux/amd64, linux/386' }, 'fail'],
  ['without buildx, which may or may not', { [ARCH]: 'amd64\n' }, 'warn'],
])('docker %s: the image for arm64 is judged', async (_how, answers, status) => {
  const finding = await checkImage(machine({ 'docker version': '29', ...answers }), {}, undefined)
  expect(finding.status).toBe(status)
})

test('the program that CDK_DOCKER names is asked instead of docker', async () => {
  const run = machine({ 'finch version': '1' })
  expect((await checkImage(run, {}, 'finch')).status).toBe('ok')
  expect((await checkImage(run, {}, 'podman')).found).toContain('podman does not answer')
})
