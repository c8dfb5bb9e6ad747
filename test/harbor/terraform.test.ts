// Harbor's Terraform provider: its own acceptance tests, as they are, and configurations of ours whose second plan
// must be empty. `terraform-provider-harbor-tests` is the provider's test program with all of its acceptance tests,
// those for built-in users and those for other sources of people; OpenTofu drives it.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findTool } from '../tools.ts'
import { openPlace, type Place } from './place.ts'

/** Those for what the registry has so far; the others wait for retention, purging of logs, preheating and LDAP. */
const ACCEPTANCE = [
  'TestAccProjectBasic',
  'TestAccProjectUpdate',
  'TestAccUserBasic',
  'TestAccUserUpdate',
  'TestAccUserWriteOnlyPassword',
  'TestAccMemberUserBasic',
  'TestAccMemberUserUpdate',
  'TestAccMemberGroupBasic',
  'TestAccMemberGroupUpdate',
  'TestAccRobotSystem',
  'TestAccRobotProject',
  'TestAccRobotProjectWriteOnlySecret',
  'TestAccLabelBasic',
  'TestAccLabelUpdate',
  'TestAccLabelProjectUpdate',
  'TestAccConfigSystem',
  'TestAccConfigAuthDb',
  'TestAccConfigAuthLdap',
  'TestAccConfigAuthOIDCWriteOnlyClientSecret',
  'TestAccDataSourceRegistry_basic',
  'TestAccRegistryBasic',
  'TestAccReplicationyBasic',
  'TestDestinationNamespace',
  'TestDestinationNamespaceReplaceCount',
  'TestAccProjectWebhook',
  'TestAccGCUpdate',
]

const PROVIDER = 'terraform-provider-harbor'
const MINUTES = 60_000
const byName = { headers: { 'x-is-resource-name': 'true' } }

let at: Place
let engine: string
let settings: Record<string, string>

beforeAll(async () => {
  at = await openPlace()
  engine = findTool('tofu') ?? findTool('terraform')!
  const override = path.join(at.directory, 'provider.tfrc')
  // Without a registry of providers: both engines are told where this one lies.
  await writeFile(
    override,
    `provider_installation {\n  dev_overrides { "goharbor/harbor" = "${path.dirname(findTool(PROVIDER)!)}" }\n}\n`,
  )
  settings = {
    HARBOR_URL: at.url,
    HARBOR_USERNAME: 'admin',
    HARBOR_PASSWORD: at.password,
    CHECKPOINT_DISABLE: '1',
  }
  settings = { ...settings, TF_CLI_CONFIG_FILE: override, TF_IN_AUTOMATION: '1' }
})
afterAll(() => at.close())

test.each(ACCEPTANCE)(
  'the provider’s own acceptance test %s passes',
  { timeout: 5 * MINUTES },
  async (name) => {
    const { output } = await at.run(`${PROVIDER}-tests`, ['-test.run', `^${name}$`, '-test.v'], {
      ...settings,
      TF_ACC: '1',
      TF_ACC_TERRAFORM_PATH: engine,
      TF_CLI_CONFIG_FILE: '',
      ...(path.basename(engine) === 'tofu'
        ? { TF_ACC_PROVIDER_NAMESPACE: 'hashicorp', TF_ACC_PROVIDER_HOST: 'registry.opentofu.org' }
        : {}),
    })
    expect(output).toContain(`--- PASS: ${name}`)
  },
)

/** @returns how to run the engine in a directory with this configuration alone */
async function configured(file: string) {
  const directory = path.join(at.directory, path.basename(file, '.tf'))
  await mkdir(directory)
  await copyFile(path.join(import.meta.dirname, file), path.join(directory, 'main.tf'))
  const tofu = (...args: string[]) =>
    at.run(engine, [`-chdir=${directory}`, ...args, '-no-color', '-input=false'], settings)
  return {
    /** Applies it, after which nothing is left to do. */
    settled: async (...variables: string[]) => {
      const applied = await tofu('apply', '-auto-approve', ...variables)
      expect(applied.output).toContain('Apply complete!')
      // 0: nothing to do, 1: failed, 2: differences.
      const planned = await tofu('plan', '-detailed-exitcode', ...variables)
      expect(planned.code, planned.output).toBe(0)
    },
    destroyed: async (...variables: string[]) => {
      const destroyed = await tofu('destroy', '-auto-approve', ...variables)
      expect(destroyed.output).toContain('Destroy complete!')
    },
  }
}

test('after each apply the plan shows no change, and after a destroy nothing is left', {
  timeout: 5 * MINUTES,
}, async () => {
  const { settled, destroyed } = await configured('everyday.tf')
  await settled()
  const team = (await at.harbor('GET', '/projects/team', byName)).json
  expect(team.metadata).toMatchObject({ public: 'true', severity: 'high', prevent_vul: 'true' })
  // Neither Harbor nor its provider makes an administrator in one step.
  await settled('-var', 'promoted=true')
  expect((await at.harbor('GET', '/users?q=username=mia')).json).toMatchObject([{ sysadmin_flag: true }])
  await destroyed()
  expect((await at.harbor('GET', '/projects?name=team')).json).toEqual([])
})

test('the same of registries, replication, webhooks, immutable tags, the allowlist and schedules', {
  timeout: 5 * MINUTES,
}, async () => {
  const { settled, destroyed } = await configured('outward.tf')
  const origin = ['-var', `origin=${at.origin.url}`]
  const schedules = async () => {
    const found = (await at.harbor('GET', '/schedules')).json as { vendor_type: string; cron: string }[]
    const own = ['REGISTRY_HEALTH', 'PROXY_RETENTION']
    const ofPeople = found.filter((each) => !own.includes(each.vendor_type))
    return ofPeople.map((each) => `${each.vendor_type} ${each.cron}`).sort()
  }
  await settled(...origin)
  expect(await schedules()).toEqual(['GARBAGE_COLLECTION 0 0 0 * * *', 'REPLICATION 0 0 3 * * *'])
  await settled(...origin, '-var', 'changed=true')
  expect(await schedules()).toEqual(['GARBAGE_COLLECTION 0 30 2 * * *', 'REPLICATION 0 0/15 * * * *'])
  const [releases] = (await at.harbor('GET', '/replication/policies?name=releases-out')).json
  expect(releases).toMatchObject({
    dest_registry: { name: 'behind', credential: { access_key: 'me' } },
    trigger: { type: 'manual' },
    filters: expect.arrayContaining([{ type: 'label', value: ['reviewed'] }]),
    speed: 2048,
  })
  const webhooks = (await at.harbor('GET', '/projects/team/webhook/policies', byName)).json
  expect(webhooks).toMatchObject([{ name: 'talk' }, { event_types: ['PUSH_ARTIFACT'] }])
  expect((await at.harbor('GET', '/system/CVEAllowlist')).json.items).toEqual([{ cve_id: 'CVE-2026-3' }])
  await destroyed(...origin)
  expect(await schedules()).toEqual([])
  for (const what of ['/registries', '/replication/policies', '/projects?name=team'])
    expect((await at.harbor('GET', what)).json).toEqual([])
})

test('the provider was told nothing that a Harbor would not say', () => {
  // It looks for a project's scanner and takes it well that there is none.
  const breaches = [...at.breaches].filter((each) => !each.includes('(getScannerOfProject) -> 404'))
  expect(breaches).toEqual([])
})
