// Projects by the number Harbor's API gives them.
import { keys } from './keys.ts'
import { type Registry, text } from './registry.ts'

/**
 * The name of a project that was given by name or number.
 * @param isName Harbor's header X-Is-Resource-Name: `true` or `false`; without it digits alone are a number
 * @returns undefined when no project has that number
 */
export async function projectNameOf(
  registry: Registry,
  given: string,
  isName?: string,
): Promise<string | undefined> {
  const byNumber =
    isName === undefined || isName === '' ? /^\d+$/.test(given) : isName.toLowerCase() === 'false'
  if (!byNumber) return given
  if (!/^\d{1,9}$/.test(given)) return undefined
  const item = await registry.metadata.get(keys.projectNumber(Number(given)))
  return item && text(item, 'name')
}
