// The client matrix: which program, in which version, did what against the registry.
import { spawnSync } from 'node:child_process'
import { runTests } from '../report.ts'
import { SUITES } from '../suites.ts'
import { findTool, toolPath, unavailableTools } from '../tools.ts'

export const title = 'Clients'

const VERSION: Record<string, string> = {
  docker: 'dockerd --version',
  containerd: 'ctr --version',
  containerd2: 'ctr2 --version',
  crane: 'crane version',
  oras: 'oras version',
  regctl: 'regctl version --format "{{.VCSTag}} {{.VCSRef}}"',
  helm: 'helm version --short',
  cosign: 'cosign version | grep GitVersion',
  notation: 'notation version | grep -i "version:"',
  tls: 'openssl version',
}

function version(client: string): string {
  const command = VERSION[client] ?? `${client} --version`
  const { stdout, stderr } = spawnSync('bash', ['-c', command], {
    encoding: 'utf8',
    env: { ...process.env, PATH: toolPath },
  })
  return `${stdout}${stderr}`.trim().split('\n')[0]!.replace(/\s+/g, ' ').slice(0, 80)
}

export async function collect(): Promise<string> {
  const rows: string[] = []
  let count = 0
  for (const { name, files, needs, env } of SUITES.filter((suite) => suite.name.startsWith('clients-'))) {
    const client = name.slice('clients-'.length)
    const missing = needs.filter((tool) => !findTool(tool))
    if (missing.length > 0) {
      const why = missing.every((tool) => unavailableTools().has(tool))
        ? 'not possible here'
        : 'not installed'
      rows.push(`| ${client} | | ${missing.join(', ')}: ${why} | | |`)
      continue
    }
    for (const { sentence, passed, seconds } of runTests(files, env).outcomes) {
      count += 1
      rows.push(
        `| ${client} | ${version(client)} | ${sentence} | ${passed ? 'passed' : '**FAILED**'} | ${seconds.toFixed(1)} |`,
      )
    }
  }
  return [
    `${count} tests of real clients against \`node bin/local.ts\` with login. Digests are compared with node:crypto over the`,
    'bytes that went in; blob bytes are counted by a proxy on the wire.',
    '',
    '| client | version | what it did | result | seconds |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
