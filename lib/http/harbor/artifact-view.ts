// Artifacts, tags, accessories and labels as Harbor's API writes them.
import type { Accessory, Artifact, ArtifactTag } from '../../artifacts/artifact.ts'
import { artifactNumber, repositoryNumber } from '../../artifacts/ids.ts'
import type { Label } from '../../artifacts/labels.ts'
import type { Digest } from '../../oci/digest.ts'
import { immutableIn, type TagTest } from '../../registry/immutable-tags.ts'
import type { Project } from '../../registry/projects.ts'
import { time } from './answers.ts'

/** What was never pulled: Go's beginning of time. */
const NEVER = '0001-01-01T00:00:00.000Z'

export function artifactView(artifact: Artifact, project: Project) {
  const { repository, digest } = artifact
  const immutable = immutableIn(project, repository.name)
  return {
    id: artifact.id,
    type: artifact.type,
    media_type: artifact.mediaType,
    manifest_media_type: artifact.manifestMediaType,
    artifact_type: artifact.artifactType,
    project_id: project.number,
    repository_id: repositoryNumber(repository.id),
    repository_name: repository.name,
    digest,
    size: artifact.sizeBytes,
    icon: artifact.icon,
    push_time: time(artifact.pushedAtMs),
    pull_time: artifact.pulledAtMs === undefined ? NEVER : time(artifact.pulledAtMs),
    extra_attrs: artifact.extraAttrs,
    annotations: artifact.annotations,
    references: artifact.references.map((each) => ({
      parent_id: artifact.id,
      child_id: artifactNumber(repository.id, each.digest),
      child_digest: each.digest,
      platform: { architecture: '', os: '', ...each.platform },
      annotations: each.annotations ?? {},
      urls: each.urls ?? [],
    })),
    tags: artifact.tags.map((tag) => tagView(tag, repository.id, digest, immutable)),
    labels: artifact.labels.map(labelView),
    addition_links: Object.fromEntries(
      artifact.additions.map((name) => [name, { absolute: false, href: additionPath(artifact, name) }]),
    ),
    accessories: artifact.accessories.map((each) => accessoryView(each, repository.name)),
  }
}

/** Harbor escapes slashes of repositories twice. */
export function additionPath(
  { repository, digest }: Pick<Artifact, 'repository' | 'digest'>,
  name: string,
): string {
  const [project, ...rest] = repository.name.split('/')
  return `/api/v2.0/projects/${project}/repositories/${rest.join('%252F')}/artifacts/${digest}/additions/${name}`
}

/** Whether a tag is immutable is always told: it costs nothing, so nobody has to ask `with_immutable_status`. */
export function tagView(tag: ArtifactTag, repo: string, digest: Digest, immutable: TagTest = () => false) {
  return {
    id: tag.id,
    repository_id: repositoryNumber(repo),
    artifact_id: artifactNumber(repo, digest),
    name: tag.name,
    push_time: time(tag.pushedAtMs),
    pull_time: tag.pulledAtMs === undefined ? NEVER : time(tag.pulledAtMs),
    immutable: immutable(tag.name),
  }
}

export function accessoryView(accessory: Accessory, repositoryName: string) {
  return {
    id: accessory.id,
    artifact_id: accessory.artifactId,
    subject_artifact_id: accessory.subjectArtifactId,
    subject_artifact_digest: accessory.subjectDigest,
    subject_artifact_repo: repositoryName,
    size: accessory.sizeBytes,
    digest: accessory.digest,
    type: accessory.type,
    icon: accessory.icon,
    creation_time: time(accessory.createdAtMs),
  }
}

export function labelView(label: Label) {
  return {
    id: label.id,
    name: label.name,
    description: label.description,
    color: label.color,
    scope: label.scope,
    project_id: label.projectNumber,
    creation_time: time(label.createdAtMs),
    update_time: time(label.updatedAtMs),
  }
}
