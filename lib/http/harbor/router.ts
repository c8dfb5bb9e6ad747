// Paths to routes. Repository names arrive in three spellings: `a%252Fb` (as documented), `a%2Fb` and `a/b`.
import { RegistryError } from '../../oci/errors.ts'
import type { HarborRoute } from './call.ts'
import { ROUTES } from './routes.ts'

interface Compiled {
  pattern: RegExp
  names: string[]
  routes: HarborRoute[]
}

export interface MatchedRoute {
  route: HarborRoute
  params: Record<string, string>
}

const COMPILED = compile(ROUTES)

/** The longest patterns first: `…/{repository}/artifacts` before `…/{repository}`. */
function compile(routes: HarborRoute[]): Compiled[] {
  const byPath = Map.groupBy(routes, (route) => route.path)
  return [...byPath]
    .sort(([one], [other]) => order(other) - order(one))
    .map(([path, each]) => {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
      const pattern = path.replace(/\{(\w+)\}/g, (_, name: string) =>
        name === 'repository' ? '(.+)' : '([^/]+)',
      )
      return { pattern: new RegExp(`^${pattern}$`), names, routes: each }
    })
}

/** More segments first, and of those the ones with fewer names. */
function order(path: string): number {
  return path.split('/').length * 100 - (path.match(/\{/g)?.length ?? 0)
}

/**
 * The first pattern that fits counts: `PUT …/{repository}/artifacts` is no change of a repository whose name ends so.
 * @returns what other methods there are where the method is wrong; undefined when nothing has that path
 */
export function matchRoute(method: string, path: string): MatchedRoute | { allowed: string[] } | undefined {
  for (const { pattern, names, routes } of COMPILED) {
    const match = pattern.exec(path)
    if (!match) continue
    const wanted = method === 'HEAD' ? ['HEAD', 'GET'] : [method]
    const route = wanted.flatMap((each) => routes.filter((known) => known.method === each))[0]
    if (!route) return { allowed: routes.map((each) => each.method) }
    const params = names.map((name, at) => [name, decoded(name, match[at + 1]!)] as const)
    return { route, params: Object.fromEntries(params) }
  }
  return undefined
}

function decoded(name: string, text: string): string {
  try {
    const once = decodeURIComponent(text)
    return name === 'repository' && /%2f/i.test(once) ? decodeURIComponent(once) : once
  } catch {
    throw new RegistryError('REQUEST_INVALID', `the ${name} in the path is not encoded well`)
  }
}
