// What Harbor's roles may do, transcribed policy by policy in Harbor's order from its source, not from our table:
// goharbor/harbor, src/common/rbac/project/rbac_role.go (names: src/common/rbac/const.go)
// at c50c7ddd6ea4e335a480b49c618281882ab7eec9. Copyright Project Harbor Authors, Apache-2.0.
// The empty resource, the project itself, is `project` here. C create, R read, U update, D delete, L list; others in words.

export const HARBOR_ROLES: Record<string, string> = {
  projectAdmin: `
    project RUD; member CRUDL; metadata CRUD; log L; label CRUDL; quota R; repository CRUDL pull push;
    tag-retention CRUDL operate; immutable-tag CUDL; configuration RU; robot CRUDL; notification-policy CUDLR;
    scan CR stop; sbom CR stop; scanner RC; artifact CRDL; artifact-addition R; tag LCD; accessory L;
    artifact-label CD; preheat-policy CRUDL; export-cve CRL`,
  maintainer: `
    project R; member RL; metadata R; quota R; label CRUDL; repository CRUDL push pull; tag-retention CRUDL operate;
    accessory L; immutable-tag CUDL; configuration R; robot RL; notification-policy RL; scan CR stop; sbom CR stop;
    scanner R; artifact CRDL; artifact-addition R; tag LCD; artifact-label CD; export-cve CRL`,
  developer: `
    project R; member RL; label RL; quota R; repository CRUL push pull; tag-retention CRUDL operate; configuration R;
    robot RL; scan R; sbom R; scanner R; artifact CRL; artifact-addition R; tag LC; accessory L; artifact-label CD;
    export-cve CRL`,
  guest: `
    project R; member RL; label RL; quota R; repository RL pull; configuration R; robot RL; scan R; sbom R; scanner R;
    tag L; accessory L; artifact RL; artifact-addition R`,
  limitedGuest: `
    project R; quota R; repository LR pull; configuration R; scan R; sbom R; scanner R; tag L; accessory L;
    artifact RL; artifact-addition R`,
}

/** What everybody may in a public project: publicProjectPolicies of src/common/rbac/project/rbac_util.go. */
export const HARBOR_PUBLIC =
  'project R; label RL; repository L pull; scan R; scanner R; tag L; artifact RL; artifact-addition R; accessory L'

/** What robots can be given: PoliciesMap and NolimitProvider of src/common/rbac/const.go, in its order. */
export const HARBOR_ROBOT_SYSTEM = `
  audit-log L; preheat-instance RCDLU; project LC; replication-policy RCDLU; replication RCL; replication-adapter L;
  registry RCDLU; scan-all RU stop C; system-volumes R; garbage-collection RCLU stop; purge-audit RCLU stop;
  jobservice-monitor L stop; scanner RCDLU; label RCDU; security-hub RL; catalog R; quota RL; robot CRLD; user CRULD;
  ldap-user CL; quota U; user-group CRULD`
export const HARBOR_ROBOT_PROJECT = `
  log L; project RDU; metadata RCDLU; repository RUDL pull push; artifact RCLD; scan CR stop; sbom C stop R; tag CLD;
  accessory L; artifact-addition R; artifact-label CD; scanner CR; preheat-policy RCDLU; immutable-tag CDLU;
  notification-policy RCDLU; tag-retention RCDLU; label RCDLU; quota R; robot CRLD; export-cve CR; member CRULD`

const LETTERS: Record<string, string> = { C: 'create', R: 'read', U: 'update', D: 'delete', L: 'list' }

/** `resource action` of everything that such a text allows. */
export function rulesIn(text: string): string[] {
  return text.split(';').flatMap((line) => {
    const [resource, ...words] = line.trim().split(/\s+/)
    const actions = words.flatMap((word) =>
      /^[CRUDL]+$/.test(word) ? [...word].map((letter) => LETTERS[letter]!) : [word],
    )
    return actions.map((action) => `${resource} ${action}`)
  })
}
