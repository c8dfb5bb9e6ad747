// npm run docs: rewrites the parts of the documentation that are made from code. test/unit/docs.test.ts notices when
// they are not up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { openApi } from './openapi/document.ts'

const root = path.resolve(import.meta.dirname, '..')
const ARCHITECTURE = path.join(root, 'docs/ARCHITECTURE.md')

/** The key map as `lib/registry/keys.ts` draws it. */
function keyMap(): string {
  const source = readFileSync(path.join(root, 'lib/registry/keys.ts'), 'utf8')
  const lines = source.split('\n')
  const from = lines.findIndex((line) => line.startsWith('//   pk '))
  const length = lines.slice(from).findIndex((line) => !line.startsWith('//'))
  const drawn = lines.slice(from, from + length).map((line) => line.replace(/^\/\/ {0,3}/, ''))
  return ['```', ...drawn, '```'].join('\n')
}

/** The text of ARCHITECTURE.md as it should be. */
export function architecture(): string {
  const text = readFileSync(ARCHITECTURE, 'utf8')
  return text.replace(/(<!-- keys -->\n)[\s\S]*?(\n<!-- end of keys -->)/, `$1${keyMap()}$2`)
}

if (import.meta.main) {
  writeFileSync(ARCHITECTURE, architecture())
  writeFileSync(path.join(root, 'docs/openapi.yaml'), openApi())
}
