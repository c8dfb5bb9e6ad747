// Models packed by the CNCF ModelPack specification: their documents, and a tree of their files.
import type { Descriptor } from '../oci/descriptor.ts'
import { RegistryError } from '../oci/errors.ts'
import { readTar } from './archive.ts'

const FILEPATH = 'org.cncf.model.filepath'
const DOCUMENT = 'application/vnd.cncf.model.doc.v1.'
/** A path in more folders than that is no file of a model. */
const FOLDERS_DEEP = 64
const DOCUMENT_LIMIT_BYTES = 4 * 1024 * 1024

export interface ModelFile {
  name: string
  type: 'file' | 'directory'
  /** Bytes; of files that have any. */
  size?: number
  children?: ModelFile[]
}

/**
 * @param names any of which it may have
 * @throws NOT_FOUND; REQUEST_INVALID (413) above 4 MiB
 */
export async function modelDocument(
  layers: Descriptor[],
  names: string[],
  layerBytes: (layer: Descriptor) => Promise<Uint8Array>,
): Promise<string> {
  const layer = layers.find(
    ({ mediaType, annotations }) =>
      (mediaType === `${DOCUMENT}tar` || mediaType === `${DOCUMENT}raw`) &&
      names.includes(annotations?.[FILEPATH] ?? ''),
  )
  if (!layer) throw new RegistryError('NOT_FOUND', `the model has no ${names.join(' or ')}`)
  if (layer.size > DOCUMENT_LIMIT_BYTES)
    throw new RegistryError(
      'REQUEST_INVALID',
      `the model's ${names[0]} has ${layer.size} bytes, more than ${DOCUMENT_LIMIT_BYTES}`,
      { status: 413 },
    )
  const bytes = await layerBytes(layer)
  if (layer.mediaType === `${DOCUMENT}raw`) return Buffer.from(bytes).toString('utf8')
  const files = await readTar(bytes, () => true)
  return files.map((file) => file.text).join('')
}

/** Folders first, then by name. */
export function modelFiles(layers: Descriptor[]): ModelFile[] {
  const root: Folder = new Map()
  for (const { annotations, size } of layers) {
    const path = annotations?.[FILEPATH]
    if (path) add(root, path, size)
  }
  return listed(root)
}

type Folder = Map<string, Folder | number>

function add(root: Folder, path: string, size: number): void {
  // As a path is cleaned: nothing leads out of the model.
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const last = parts.pop()
  if (last === undefined || parts.length > FOLDERS_DEEP) return
  let folder = root
  for (const part of parts) {
    let inner = folder.get(part)
    if (!(inner instanceof Map)) {
      inner = new Map()
      folder.set(part, inner)
    }
    folder = inner
  }
  if (!folder.has(last)) folder.set(last, path.endsWith('/') ? new Map() : size)
}

function listed(folder: Folder): ModelFile[] {
  const files = [...folder].map(([name, content]): ModelFile => {
    if (content instanceof Map) {
      const children = listed(content)
      return { name, type: 'directory', ...(children.length > 0 ? { children } : {}) }
    }
    return { name, type: 'file', ...(content > 0 ? { size: content } : {}) }
  })
  const isFile = (file: ModelFile) => (file.type === 'file' ? 1 : 0)
  return files.sort((a, b) => isFile(a) - isFile(b) || (a.name < b.name ? -1 : 1))
}
