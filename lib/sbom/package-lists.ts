// Which packages an image has: a list beside the manifest that says so, and a row for each package, by its name.
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Digest } from '../oci/digest.ts'
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes, Item, Key, Write } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { Bill, Package } from './bill.ts'

const zip = promisify(gzip)
const unzip = promisify(gunzip)
/** What an item's bytes hold. */
const PART_BYTES = 60 * 1024
const PART_PACKAGES = 2000

/** A list of packages: of an image that we looked into, or of a bill of materials that somebody attached to one. */
export interface PackageList {
  projectId: string
  repo: string
  repository: string
  /** The manifest it lies beside: the image itself, or the attached one. */
  holder: Digest
  image: Digest
}

/** As the listing of a project has it. */
export interface ListedPackages extends PackageList {
  system?: Bill['system']
  packages: number
  parts: number
}

/** In place of what the same manifest said before. */
export async function savePackages(registry: Registry, list: PackageList, bill: Bill): Promise<void> {
  const before = await readPackages(registry, list)
  const rows = rowsOf(list, bill.packages)
  const gone = rowsOf(list, before)
  for (const key of rows.keys()) gone.delete(key)
  // The list is there before its rows, and goes after them: rows that nobody knows of would stay for ever.
  await registry.metadata.batchWrite(await listWrites(list, bill))
  await registry.metadata.batchWrite([
    ...[...rows.values()].map((item): Write => ({ kind: 'put', item })),
    ...[...gone.values()].map(({ pk, sk }): Write => ({ kind: 'delete', key: { pk, sk } })),
  ])
}

/** The list itself: what looks at all packages of an image needs no rows. */
export async function listWrites(list: PackageList, { packages, system }: Bill): Promise<Write[]> {
  const { projectId, repo, holder } = list
  const parts = await partsOf(packages)
  const attributes = { v: 1, ...list, packages: packages.length, parts: parts.length }
  const listing: Item = {
    ...keys.billOfMaterials(projectId, repo, holder),
    attributes: { ...attributes, ...(system ? { system: { ...system } } : {}) },
  }
  return [
    ...parts.map(
      (bytes, number): Write => ({
        kind: 'put',
        item: { ...keys.packages(repo, holder, number), attributes: { v: 1 }, bytes },
      }),
    ),
    { kind: 'put', item: listing },
  ]
}

/** Nothing is left of what a manifest said. No error where it said nothing. */
export async function forgetPackages(
  registry: Registry,
  { projectId, repo, holder }: Pick<PackageList, 'projectId' | 'repo' | 'holder'>,
): Promise<void> {
  const listing = keys.billOfMaterials(projectId, repo, holder)
  const item = await registry.metadata.get(listing)
  if (!item) return
  const list = item.attributes as unknown as ListedPackages
  const rows = rowsOf(list, await readPackages(registry, list))
  await registry.metadata.batchWrite(
    [...rows.values()].map(({ pk, sk }): Write => ({ kind: 'delete', key: { pk, sk } })),
  )
  const parts = Array.from({ length: list.parts }, (_, number) => keys.packages(repo, holder, number))
  await registry.metadata.batchWrite([...parts, listing].map((key): Write => ({ kind: 'delete', key })))
}

/** Those of a repository that is gone. */
export async function forgetAllPackages(registry: Registry, projectId: string, repo: string): Promise<void> {
  for await (const list of listedPackages(registry, projectId, repo)) await forgetPackages(registry, list)
}

/** @param repo only that repository's */
export async function* listedPackages(
  registry: Registry,
  projectId: string,
  repo?: string,
): AsyncGenerator<ListedPackages> {
  const listed = {
    pk: partitions.billsOfMaterials(projectId),
    ...(repo === undefined ? {} : { prefix: `${repo}#` }),
  }
  for await (const page of pagesOf(registry.metadata, listed))
    yield* page.map(({ attributes }) => attributes as unknown as ListedPackages)
}

/** Empty where there is no list. */
async function readPackages(
  registry: Registry,
  { repo, holder }: Pick<PackageList, 'repo' | 'holder'>,
): Promise<Package[]> {
  const packages: Package[] = []
  const { pk } = keys.packages(repo, holder, 0)
  for await (const page of pagesOf(registry.metadata, { pk, prefix: 'VP#' }))
    for (const item of page) packages.push(...(await packagesIn(item)))
  return packages
}

/** The items of a list, to be read with others. */
export function packageKeys({ repo, holder, parts }: ListedPackages): Key[] {
  return Array.from({ length: parts }, (_, number) => keys.packages(repo, holder, number))
}

/** Of one item; none of one that is not there. */
export async function packagesIn(item: Item | undefined): Promise<Package[]> {
  if (!item?.bytes) return []
  return JSON.parse((await unzip(item.bytes)).toString('utf8')) as Package[]
}

async function partsOf(packages: Package[]): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = []
  const add = async (some: Package[]): Promise<void> => {
    const bytes = await zip(JSON.stringify(some))
    if (bytes.length <= PART_BYTES || some.length === 1) {
      parts.push(bytes)
      return
    }
    const half = Math.ceil(some.length / 2)
    await add(some.slice(0, half))
    await add(some.slice(half))
  }
  for (let at = 0; at < packages.length; at += PART_PACKAGES)
    await add(packages.slice(at, at + PART_PACKAGES))
  return parts
}

/** By their keys: one for the package, and one more for its source package where that has another name. */
function rowsOf(list: PackageList, packages: readonly Package[]): Map<string, Item> {
  const { projectId, repo, repository, holder, image } = list
  const rows = new Map<string, Item>()
  const add = (name: string, version: string, { type, namespace, name: own }: Package) => {
    const attributes: Attributes = {
      ...{ v: 1, project: projectId, repo, repository, image, type, namespace, version },
      name: own,
    }
    const key = keys.packageIn(name, version, repo, image, holder)
    rows.set(`${key.pk} ${key.sk}`, { ...key, attributes })
  }
  for (const each of packages) {
    add(each.name, each.version, each)
    if (each.source && each.source !== each.name) add(each.source, each.sourceVersion ?? each.version, each)
  }
  return rows
}
