// The guide's way from a push to the list of what is wrong with the image, as our documentation has it: its settings, its
// commands (its buttons are calls of the API) and its pipeline, with a real docker and the real trivy.
import { readFileSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entrepot } from '../cli/command.ts'
import { startDocker } from '../clients/docker-daemon.ts'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { ADMIN_PASSWORD } from '../support/server.ts'
import { openPlace, type Place } from './place.ts'
import { cacheOf } from './watched.ts'

const MINUTE = 60_000
/** The block of `harbor.yml` in the guide. */
const HARBOR_YML = `hostname: registry.example.com
trivy:
  ignore_unfixed: false
  security_check: vuln,config,secret
  skip_update: false
`

let at: Place
let clients: Workplace
let variables: Record<string, string>
beforeAll(async () => {
  clients = await openWorkplace()
  const harborYml = path.join(clients.directory, 'harbor.yml')
  await writeFile(harborYml, HARBOR_YML)
  const { stdout } = await entrepot(['config', '--from-harbor-yml', harborYml])
  const trivy = stdout.split('\n').filter((line) => line.startsWith('trivy'))
  const config = path.join(clients.directory, 'entrepot.yaml')
  await writeFile(config, trivy.join('\n'))
  const cache = path.join(clients.directory, 'trivy')
  // The one thing that differs: the database is not asked of the internet.
  const args = [
    '--config',
    config,
    '--trivy-skip-update',
    'on',
    '--trivy-offline',
    'on',
    '--trivy-cache',
    cache,
  ]
  expect(trivy.join(' ')).toContain('trivyChecks: vuln,config,secret')
  at = await openPlace({ args })
  await mkdir(path.join(cache, 'db'), { recursive: true })
  const from = await cacheOf(at)
  for (const name of ['trivy.db', 'metadata.json'])
    await copyFile(path.join(from, 'db', name), path.join(cache, 'db', name))
  const { url, host } = at.server
  variables = {
    ...(await startDocker(clients)),
    DOCKER_BUILDKIT: '0',
    URL: url,
    REGISTRY: host,
    PASSWORD: ADMIN_PASSWORD,
    LOGIN: `admin:${ADMIN_PASSWORD}`,
  }
}, 2 * MINUTE)
afterAll(async () => {
  await clients?.close()
  await at?.close()
})

const document = readFileSync(path.resolve(import.meta.dirname, '../../docs/scanning.md'), 'utf8')
const block = (name: string) =>
  new RegExp(`<!-- ${name} -->\n+\`\`\`sh\n([\\s\\S]*?)\`\`\``).exec(document)![1]!

test(
  'an image that is built, tagged and pushed is scanned without a click, shown, and kept from being pulled',
  async () => {
    const { reference } = await at.publish('three')
    const commands = block('walk-through')
    for (const command of [
      'docker build -t monserveurweb:0.1 .',
      'docker tag monserveurweb:0.1 registry.example.com/monprojet/monserveurweb:0.1',
      'docker push registry.example.com/monprojet/monserveurweb:0.1',
    ])
      expect(commands.replaceAll('"', '').replaceAll('$REGISTRY', 'registry.example.com')).toContain(command)
    // The guide's image stands on nginx; ours on one with three vulnerabilities, under that name.
    await clients.sh(
      `echo "$PASSWORD" | docker login -u admin --password-stdin "$REGISTRY"
      docker pull -q ${reference} && docker tag ${reference} nginx:alpine
      mkdir site && cd site && echo hello > index.html
      printf 'FROM nginx:alpine\\nCOPY index.html /usr/share/nginx/html/\\nEXPOSE 80\\n' > Dockerfile`,
      variables,
    )
    const said = await clients.sh(`cd site\n${commands}`, variables)
    expect(said).toContain('Critical\tCVE-2099-0001\tlibssl3\t3.0.17-1~deb12u3\n')
    expect(said).toContain('High\tCVE-2099-0002\tzlib1g\t\n')
    expect(said).toContain('Medium\tCVE-2099-0003\tminimist\t1.2.6\n')
    expect(said).toContain('\nrefused\n')
  },
  2 * MINUTE,
)

test('the pipeline goes on with an image without critical vulnerabilities, and fails with one that has some', async () => {
  await at.admin('POST', '/projects', { project_name: 'team', metadata: { auto_scan: 'true' } })
  const push = async (kind: 'clean' | 'three') => {
    const { image } = await at.publish(kind)
    await at.sh(`crane push --insecure ${image.layout} ${at.server.host}/team/app:${kind}`)
  }
  await push('clean')
  await push('three')
  const pipeline = (TAG: string) => clients.sh(block('pipeline'), { ...variables, TAG })
  expect(await pipeline('clean')).toContain('true')
  await expect(pipeline('three')).rejects.toThrow('false')
})
