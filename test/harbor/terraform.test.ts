// Harbor's Terraform provider: its own acceptance tests, as they are, and a configuration of ours whose second plan
// must be empty. `terraform-provider-harbor-tests` is the provider's test program with all of its acceptance tests,
// those for built-in users and those for other sources of people; OpenTofu drives it.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findTool } from '../tools.ts'
import { openPlace, type Place } from './place.ts'

/** Those for what the registry has so far; the others wait for registries, schedules, policies and LDAP. */
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
]

const PROVIDER = 'terraform-provider-harbor'
const MINUTES = 60_000

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

test('after each apply the plan shows no change, and after a destroy nothing is left', {
  timeout: 5 * MINUTES,
}, async () => {
  const directory = path.join(at.directory, 'configuration')
  await mkdir(directory)
  await copyFile(path.join(import.meta.dirname, 'everyday.tf'), path.join(directory, 'main.tf'))
  const tofu = (...args: string[]) =>
    at.run(engine, [`-chdir=${directory}`, ...args, '-no-color', '-input=false'], settings)
  // 0: nothing to do, 1: failed, 2: differences.
  const settled = async (...variables: string[]) => {
    expect((await tofu('apply', '-auto-approve', ...variables)).output).toContain('Apply complete!')
    const planned = await tofu('plan', '-detailed-exitcode', ...variables)
    expect(planned.code, planned.output).toBe(0)
  }
  await settled()
  const team = (await at.harbor('GET', '/projects/team', { headers: { 'x-is-resource-name': 'true' } })).json
  expect(team.metadata).toMatchObject({ public: 'true', severity: 'high', prevent_vul: 'true' })
  // Neither Harbor nor its provider makes an administrator in one step.
  await settled('-var', 'promoted=true')
  expect((await at.harbor('GET', '/users?q=username=mia')).json).toMatchObject([{ sysadmin_flag: true }])
  expect((await tofu('destroy', '-auto-approve')).output).toContain('Destroy complete!')
  expect((await at.harbor('GET', '/projects?name=team')).json).toEqual([])
})

test('the provider was told nothing that a Harbor would not say', () => {
  // It looks for a project's scanner and takes it well that there is none.
  const breaches = [...at.breaches].filter((each) => !each.includes('(getScannerOfProject) -> 404'))
  expect(breaches).toEqual([])
})
