// npm run evidence -- NAME …: regenerates docs/evidence/NAME.md from a fresh run, never by hand.
// Each name is a module test/evidence/NAME.ts exporting `title` and `collect(): Promise<string>` (Markdown).
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { toolPath } from './tools.ts'

const root = path.resolve(import.meta.dirname, '..')
const folder = path.join(import.meta.dirname, 'evidence')

interface EvidenceModule {
  title: string
  collect(): Promise<string>
}

function heading(title: string, name: string): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const dirty =
    git('status', '--porcelain', '--', 'bin', 'lib', 'test') === '' ? '' : ' (with uncommitted changes)'
  const memoryGiB = (os.totalmem() / 2 ** 30).toFixed(0)
  return [
    `# ${title}`,
    '',
    `Regenerate: \`npm run evidence -- ${name}\`.`,
    '',
    `| commit | date | node | machine |`,
    `|---|---|---|---|`,
    `| ${git('rev-parse', '--short', 'HEAD')}${dirty} | ${new Date().toISOString()} | ${process.version} | ${os.availableParallelism()} x ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${memoryGiB} GiB, ${os.type()} ${os.release()} |`,
    '',
  ].join('\n')
}

process.env.PATH = toolPath
const available = readdirSync(folder).map((file) => path.basename(file, '.ts'))
const names = process.argv.slice(2)
if (names.length === 0 || names.some((name) => !available.includes(name))) {
  console.error(`usage: npm run evidence -- NAME …\nnames: ${available.join(', ')}`)
  process.exit(2)
}
mkdirSync(path.join(root, 'docs/evidence'), { recursive: true })
for (const name of names) {
  const module = (await import(path.join(folder, `${name}.ts`))) as EvidenceModule
  const body = await module.collect()
  const file = path.join(root, 'docs/evidence', `${name}.md`)
  writeFileSync(file, `${heading(module.title, name)}\n${body.trim()}\n`)
  console.log(`wrote ${path.relative(root, file)}`)
}
// Stores that a module started for others may still be up; they go with this process.
process.exit(0)
