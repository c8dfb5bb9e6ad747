// cdk deploy: reads the configuration and builds the stacks. `-c config=FILE` names another file than entrepot.yaml.
import { App } from 'aws-cdk-lib'
import { ConfigError } from '../lib/config/config.ts'
import { readDeployment } from '../lib/config/deployment.ts'
import { check } from '../lib/infra/acknowledged.ts'
import { buildRegistry } from '../lib/infra/registry-app.ts'
import { EXIT_CODES } from '../lib/server/startup-error.ts'

const app = new App()
const { config, cloud } = configured(app.node.tryGetContext('config') as string | undefined)
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
buildRegistry(app, config, cloud, {
  ...(account === undefined ? {} : { account }),
  ...(region === undefined ? {} : { region }),
})
check(app)

/** What is wrong with the file is one line and no stack: whoever wrote the file is to mend it. */
function configured(file: string | undefined): ReturnType<typeof readDeployment> {
  try {
    return readDeployment(file)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`entrepot: ${error.message}`)
    process.exit(EXIT_CODES.usage)
  }
}
