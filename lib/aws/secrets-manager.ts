// The registry's keys in Secrets Manager. Processes read them again every few minutes.
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import {
  completed,
  newSecrets,
  parseSecrets,
  type SecretsDocument,
  withNewKeys,
} from '../access/secret-keys.ts'
import { calling } from './failures.ts'

export interface SecretsSource {
  read(): Promise<SecretsDocument>
  rotate(): Promise<SecretsDocument>
}

/**
 * The token of the one write that completes a document of an older version: of two processes that do so at once the
 * second is refused, because the keys are not the same, and what the first one sealed can be opened.
 */
const COMPLETION_TOKEN = 'entrepot-secrets-document-sealing-1'

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
  async function complete(document: SecretsDocument): Promise<void> {
    const SecretString = JSON.stringify(document)
    const put = new PutSecretValueCommand({
      SecretId: name,
      SecretString,
      ClientRequestToken: COMPLETION_TOKEN,
    })
    try {
      await calling('keys', () => client.send(put))
    } catch (error) {
      // Who may only read goes on without: the setup of a deployment completes it.
      if (error instanceof ResourceExistsException || (error as Error).name === 'AccessDeniedException')
        return
      throw error
    }
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
      const whole = found && completed(found)
      if (found && !whole) return found
      if (whole) {
        await complete(whole)
        return (await find())!
      }
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
