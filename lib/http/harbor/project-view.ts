// Projects as Harbor's API shows them.

import { ROLE_NUMBERS } from '../../access/role-numbers.ts'
import type { Role } from '../../access/roles.ts'
import type { Project } from '../../registry/projects.ts'
import { time } from './answers.ts'
import type { Row } from './lists.ts'

/** @param owner its number, 0 when it is gone */
export function projectView(project: Project, roles: Role[], repositories: number, owner: number): Row {
  const numbers = roles.map((role) => ROLE_NUMBERS[role])
  return {
    project_id: project.number,
    owner_id: owner,
    name: project.name,
    creation_time: time(project.createdAtMs),
    update_time: time(project.updatedAtMs),
    deleted: false,
    owner_name: project.owner,
    togglable: true,
    ...(project.registryId === undefined ? {} : { registry_id: project.registryId }),
    current_user_role_id: numbers[0] ?? 0,
    current_user_role_ids: numbers,
    repo_count: repositories,
    metadata: metadataView(project),
    cve_allowlist: allowlistView(project),
  }
}

export function metadataView({ public: isPublic, metadata }: Project): Record<string, string> {
  return { public: String(isPublic), ...metadata }
}

function allowlistView({ number, allowlist, createdAtMs, updatedAtMs }: Project): Row {
  return {
    id: number,
    project_id: number,
    ...(allowlist?.expiresAtSeconds === undefined ? {} : { expires_at: allowlist.expiresAtSeconds }),
    items: (allowlist?.cves ?? []).map((cve_id) => ({ cve_id })),
    creation_time: time(createdAtMs),
    update_time: time(updatedAtMs),
  }
}
