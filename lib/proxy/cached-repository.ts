// Repositories of caches: made by being pulled from.
import type { Actor, Registry } from '../registry/registry.ts'
import { createRepository, type Repository, readRepository } from '../registry/repositories.ts'

/** Who puts things there, for history and events. */
export const CACHE: Actor = { principal: 'proxy-cache', requestId: '-' }

/** @throws NAME_UNKNOWN when its project is gone */
export async function openCachedRepository(registry: Registry, name: string): Promise<Repository> {
  return (await readRepository(registry, name))?.repository ?? createRepository(registry, name, CACHE)
}
