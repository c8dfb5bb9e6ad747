// The command line against the deployment's own table, bucket and keys, as an operator uses it.
import { entrepot } from '../cli/command.ts'
import type { Twin } from './twin.ts'

export async function operate(twin: Twin, ...args: string[]): ReturnType<typeof entrepot> {
  return entrepot(args, {
    ...twin.cloud.programEnv,
    ENTREPOT_STORES: 'aws',
    ENTREPOT_TABLE: twin.table,
    ENTREPOT_BUCKET: twin.bucket,
    ENTREPOT_SECRETS: await twin.made.id('data', 'AWS::SecretsManager::Secret', 'Keys'),
  })
}
