// The edge functions as CloudFront runs them: bundled, without anything its runtime does not have.
import path from 'node:path'
import { buildSync } from 'esbuild'

/** CloudFront takes no more of a function. */
const LIMIT_BYTES = 10_240
const folder = path.resolve(import.meta.dirname, '../../edge')

export interface EdgeOrigins {
  ingest: string
  blobs: string
}

/** @param ingest whether there are tasks that take streams */
export function viewerRequestCode(origins: EdgeOrigins, ingest: boolean): string {
  return build('viewer-request.ts', {
    INGEST: String(ingest),
    INGEST_ORIGIN: JSON.stringify(origins.ingest),
    BLOBS_ORIGIN: JSON.stringify(origins.blobs),
  })
}

export function viewerResponseCode(): string {
  return build('viewer-response.ts', {})
}

function build(file: string, define: Record<string, string>): string {
  const { outputFiles } = buildSync({
    entryPoints: [path.join(folder, file)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    external: ['cloudfront', 'crypto'],
    // Its runtime has const, let, arrows, templates and async of ES 2015 to 2017, and little else: what cannot be
    // lowered fails here and not at the edge.
    target: 'es2017',
    supported: {
      class: false,
      'default-argument': false,
      destructuring: false,
      'for-of': false,
      generator: false,
      'object-rest-spread': false,
      'array-spread': false,
    },
    define,
    minifyWhitespace: true,
    minifySyntax: true,
    // CloudFront finds the handler by its name.
    keepNames: false,
    treeShaking: false,
    legalComments: 'none',
  })
  const code = outputFiles[0]!.text
  const size = Buffer.byteLength(code)
  if (size > LIMIT_BYTES) throw new Error(`${file} is ${size} bytes built, CloudFront takes ${LIMIT_BYTES}`)
  return code
}
