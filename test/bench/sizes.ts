// How much of everything: the sizes the comparison is about, and smaller ones for a quick look.

const MB = 1_000_000
const MiB = 2 ** 20
const GiB = 2 ** 30

export interface ImageSize {
  name: string
  layers: number
  layerBytes: number
  rounds: number
}

export interface Sizes {
  images: ImageSize[]
  /** Rounds of the scenarios that take long, and of those that do not. */
  rounds: number
  shortRounds: number
  putBytes: number
  /** How long small uploads and reads are driven, per registry and round. */
  writeSeconds: number
  readSeconds: number
  readConnections: number[]
  largeBlobBytes: number
  tags: number[]
  /** Per registry and step of `tags`: seeding through the API stops then. */
  seedLimitSeconds: number
  repositories: number
  uploads: { count: number; sizeBytes: number; chunkBytes: number }
}

export const FULL: Sizes = {
  images: [
    { name: '5 x 100 MB', layers: 5, layerBytes: 100 * MB, rounds: 3 },
    { name: '1 x 1 GiB', layers: 1, layerBytes: GiB, rounds: 3 },
    { name: '60 x 1 MB', layers: 60, layerBytes: MB, rounds: 5 },
  ],
  rounds: 3,
  shortRounds: 5,
  putBytes: GiB,
  writeSeconds: 3,
  readSeconds: 1,
  readConnections: [1, 16, 64],
  largeBlobBytes: 100 * MB,
  tags: [10_000, 100_000],
  seedLimitSeconds: 100,
  repositories: 1000,
  uploads: { count: 4, sizeBytes: 2 * GiB, chunkBytes: 16 * MiB },
}

export const QUICK: Sizes = {
  images: [
    { name: '5 x 20 MB', layers: 5, layerBytes: 20 * MB, rounds: 3 },
    { name: '1 x 200 MiB', layers: 1, layerBytes: 200 * MiB, rounds: 3 },
    { name: '20 x 1 MB', layers: 20, layerBytes: MB, rounds: 3 },
  ],
  rounds: 3,
  shortRounds: 3,
  putBytes: 256 * MiB,
  writeSeconds: 1,
  readSeconds: 0.4,
  readConnections: [1, 16, 64],
  largeBlobBytes: 100 * MB,
  tags: [1000, 5000],
  seedLimitSeconds: 10,
  repositories: 200,
  uploads: { count: 4, sizeBytes: 256 * MiB, chunkBytes: 16 * MiB },
}

/** `1 GiB`, `100 MB`, `4 KiB` */
export function bytesText(bytes: number): string {
  const units: [string, number][] = [
    ['GiB', GiB],
    ['MiB', MiB],
    ['KiB', 1024],
    ['MB', MB],
  ]
  const [name, size] = units.find(([, unit]) => bytes >= unit && bytes % unit === 0) ?? ['bytes', 1]
  return `${bytes / size} ${name}`
}
