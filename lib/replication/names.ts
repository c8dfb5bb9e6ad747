// What a repository is called at the destination.
import { RegistryError } from '../oci/errors.ts'
import { isName } from '../oci/reference.ts'
import type { ReplicationPolicy } from './policy.ts'

type Mapping = Pick<ReplicationPolicy, 'namespace' | 'replaceCount'>

/**
 * `a/b/c/image` to the namespace `n`: with -1 `n/image`, with 0 `n/a/b/c/image`, with 1 `n/b/c/image`, with 3 `n/image`.
 * @throws REQUEST_INVALID when there are not so many components to replace, or the name becomes no name
 */
export function destinationName(repository: string, { namespace, replaceCount }: Mapping): string {
  if (namespace === '') return repository
  const components = repository.split('/')
  const [path, last] = [components.slice(0, -1), components.at(-1)!]
  if (replaceCount > path.length)
    throw new RegistryError(
      'REQUEST_INVALID',
      `the source repository ${repository} contains only ${path.length} path components excepting the last one, but the destination namespace flattening level is ${replaceCount}`,
    )
  const kept = replaceCount < 0 ? [] : path.slice(replaceCount)
  const name = [namespace, ...kept, last].join('/')
  if (isName(name)) return name
  throw new RegistryError(
    'REQUEST_INVALID',
    `${repository} would be ${name.slice(0, 300)}: that is no repository name`,
  )
}
