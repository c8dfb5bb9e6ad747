// cdk deploy: reads the configuration and builds the stacks. `-c config=FILE` names another file than entrepot.yaml.
import { App } from 'aws-cdk-lib'
import { readDeployment } from '../lib/config/deployment.ts'
import { check } from '../lib/infra/acknowledged.ts'
import { buildRegistry } from '../lib/infra/registry-app.ts'

const app = new App()
const { config, cloud } = readDeployment(app.node.tryGetContext('config') as string | undefined)
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
buildRegistry(app, config, cloud, {
  ...(account === undefined ? {} : { account }),
  ...(region === undefined ? {} : { region }),
})
check(app)
