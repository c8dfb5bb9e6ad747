// A store that was never used becomes one of ours; one of a newer program is left alone.
import { keys } from './keys.ts'
import { createProject, findProject } from './projects.ts'
import { type Actor, type Registry, SCHEMA_VERSION } from './registry.ts'

/** Who owns what was always there, as in Harbor; the user is made when the server first starts. */
const FIRST_ADMINISTRATOR: Actor = { principal: 'admin', requestId: '-' }

/** The data was written by a program this one is too old for. */
export class NewerSchemaError extends Error {}

/** @throws NewerSchemaError */
export async function prepareStore(registry: Registry): Promise<void> {
  const item = await registry.metadata.get(keys.schema)
  const version = item?.attributes.version
  if (typeof version === 'number' && version > SCHEMA_VERSION)
    throw new NewerSchemaError(
      `the data was written by a newer Entrepôt (schema ${version}, this one knows ${SCHEMA_VERSION}): upgrade the program`,
    )
  if (!item) {
    const attributes = { v: 1, version: SCHEMA_VERSION, createdAtMs: registry.clock.nowMs() }
    await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.schema, attributes } }])
  }
  if (await findProject(registry, 'library')) return
  try {
    await createProject(registry, 'library', { public: true }, FIRST_ADMINISTRATOR)
  } catch (error) {
    // Another process that started at the same moment was quicker.
    if (!(await findProject(registry, 'library'))) throw error
  }
}
