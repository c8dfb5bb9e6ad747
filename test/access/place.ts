// Where the matrix is tried: a server of its own, or the deployed twin (TEST_STORES=twin).
import { createHash } from 'node:crypto'
import { type Answer, type Client, clientOf } from '../api/client.ts'
import { startServer } from '../support/server.ts'

export interface Tried {
  url: string
  adminPassword: string
  stop(): Promise<unknown>
}

const ON_TWIN = process.env.TEST_STORES === 'twin'

/** Of the robots' cases that Harbor refuses, one in so many is tried on the twin, where each takes a function or two. */
const ONE_IN = 16
const SEED = 'entrepot-1'

export async function openTried(preload: string[]): Promise<Tried> {
  if (!ON_TWIN) return startServer({ open: false, preload })
  const { sharedTwin } = await import('../twin/shared.ts')
  const { url, adminPassword } = await sharedTwin()
  return { url, adminPassword, stop: async () => {} } // the twin goes with its worker
}

/** What is said to whoever may not and has no login: at the edge a client without login brings a token of nobody. */
export const REFUSED_NOBODY = ON_TWIN ? [401, 403] : [401]

/** Whether a robot's refused case is tried here: everywhere all of them, on the twin always the same share. */
export function isTried(robot: string, where: string, method: string, path: string): boolean {
  if (!ON_TWIN) return true
  const hash = createHash('sha256').update([SEED, robot, where, method, path].join(' ')).digest()
  return hash.readUInt32BE() % ONE_IN === 0
}

/** Somebody without a login, as clients are: who is challenged fetches a token and asks again. */
export function nobodyAt(url: string): Client {
  const plain = clientOf(url)
  const send = async (...[method, path, options]: Parameters<Client>): Promise<Answer> => {
    const answer = await plain(method, path, options)
    const challenge = answer.headers['www-authenticate']
    if (!ON_TWIN || answer.status !== 401 || !challenge) return answer
    const scopes = /scope="([^"]*)"/.exec(challenge)?.[1]?.split(' ') ?? []
    const query = scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join('&')
    const { body } = await plain('GET', `/service/token?service=entrepot&${query}`)
    const { token } = JSON.parse(body.toString()) as { token: string }
    return plain(method, path, {
      ...options,
      headers: { ...options?.headers, authorization: `Bearer ${token}` },
    })
  }
  return Object.assign(send, { url })
}
