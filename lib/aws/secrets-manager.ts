// The registry's keys in Secrets Manager. Processes read them again every few minutes.
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
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
  /** What CloudFormation made it with: what the edge sends along, and no keys yet. */
  async function made(): Promise<{ origin?: string }> {
    try {
      const answer = await calling('keys', () => client.send(new GetSecretValueCommand({ SecretId: name })))
      const { origin } = JSON.parse(answer.SecretString ?? '{}') as { origin?: string }
      return origin === undefined ? {} : { origin }
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return {}
      throw error
    }
  }
  async function find(): Promise<SecretsDocument | undefined> {
    try {
      const answer = await calling('keys', () => client.send(new GetSecretValueCommand({ SecretId: name })))
      const text = answer.SecretString ?? '{}'
      return hasKeys(text) ? parseSecrets(text) : undefined
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined
      throw error
    }
  }
  return {
    async read() {
      const found = await find()
      if (found) return found
      await write({ ...(await newSecrets()), ...(await made()) })
      // Another process may have been first; everybody goes by what is there now.
      return (await find())!
    },
    rotate: async () => write(await withNewKeys((await find()) ?? (await newSecrets()), Date.now())),
  }
}

/** A secret that is just a text, such as what the edge sends along. */
export async function readSecretText(name: string): Promise<string> {
  const client = new SecretsManagerClient({})
  const answer = await calling('keys', () => client.send(new GetSecretValueCommand({ SecretId: name })))
  client.destroy()
  return answer.SecretString ?? ''
}

function hasKeys(text: string): boolean {
  return 'session' in JSON.parse(text)
}
