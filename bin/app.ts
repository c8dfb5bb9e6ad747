// cdk deploy: reads the configuration and builds the stacks. `-c config=FILE` names another file than entrepot.yaml.
import { existsSync } from 'node:fs'
import { App } from 'aws-cdk-lib'
import { cloudSchema } from '../lib/config/cloud.ts'
import { readConfig } from '../lib/config/config.ts'
import { check } from '../lib/infra/acknowledged.ts'
import { buildRegistry } from '../lib/infra/registry-app.ts'

const app = new App()
const file = (app.node.tryGetContext('config') as string | undefined) ?? 'entrepot.yaml'
const config = readConfig(existsSync(file) ? ['--config', file] : [], {})
const cloud = config.cloud ?? cloudSchema.parse({})
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
buildRegistry(app, config, cloud, {
  ...(account === undefined ? {} : { account }),
  ...(region === undefined ? {} : { region }),
})
check(app)
