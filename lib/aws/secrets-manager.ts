// The registry's keys in Secrets Manager. Processes read them again every few minutes.
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { newSecrets, parseSecrets, type SecretsDocument, withNewKeys } from '../access/secret-keys.ts'
import { calling } from './failures.ts'

export interface SecretsSource {
  read(): Promise<SecretsDocument>
  rotate(): Promise<SecretsDocument>
}

/** @param name or ARN. A secret without a value, as the stack creates it, gets one at its first reading. */
export function secretsInManager(client: SecretsManagerClient, name: string): SecretsSource {
  async function write(document: SecretsDocument): Promise<SecretsDocument> {
    const SecretString = JSON.stringify(document)
    try {
      await calling('keys', () => client.send(new PutSecretValueCommand({ SecretId: name, SecretString })))
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error
      await calling('keys', () => client.send(new CreateSecretCommand({ Name: name, SecretString })))
    }
    return document
  }
  async function find(): Promise<SecretsDocument | undefined> {
    try {
      const answer = await calling('keys', () => client.send(new GetSecretValueCommand({ SecretId: name })))
      return isDocument(answer.SecretString) ? parseSecrets(answer.SecretString!) : undefined
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined
      throw error
    }
  }
  return {
    async read() {
      const found = await find()
      if (found) return found
      await write(await newSecrets())
      // Another process may have been first; everybody goes by what is there now.
      return (await find())!
    },
    rotate: async () => write(await withNewKeys((await find()) ?? (await newSecrets()), Date.now())),
  }
}

/** CloudFormation cannot create a secret without some value. */
function isDocument(text = ''): boolean {
  return text.startsWith('{"v":1')
}
