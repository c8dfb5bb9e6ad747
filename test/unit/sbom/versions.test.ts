// Versions compared: dpkg, Python's packaging and Maven itself say which is older, where they are there.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compareVersions } from '../../../lib/sbom/versions/compare.ts'

const run = promisify(execFile)
const has = (program: string) =>
  (process.env.PATH ?? '').split(':').some((each) => existsSync(`${each}/${program}`))

/** Each version with each. With the sabotage switch on the first is taken for the last. */
function pairs(versions: string[]): [string, string][] {
  return versions.flatMap((one) => versions.map((other): [string, string] => [one, other]))
}
const ours = (type: string, [one, other]: [string, string]) =>
  Math.sign(
    process.env.SABOTAGE === 'versions-as-text'
      ? Number(one > other) - Number(one < other)
      : compareVersions(type, one, other),
  )

const DEBIAN = [
  ...[
    '1.0',
    '1.0-1',
    '1.0-0',
    '1.0~rc1',
    '1.0~~',
    '1.0~rc1-1',
    '1:0.1',
    '0:1.0',
    '1.0+b1',
    '1.0+dfsg-1',
    '1.0.1',
    '1.10',
  ],
  ...[
    '3.0.17-1~deb12u2',
    '3.0.17-1~deb12u3',
    '3.0.17-1',
    '2:9.0.1378-2',
    '1.2.13.dfsg-1',
    '1.2.13-1',
    '1.0a',
    '1.0-1.1',
  ],
]

test.runIf(has('dpkg'))('Debian’s versions are in dpkg’s order', async () => {
  const asked = pairs(DEBIAN)
  const script = `while read -r a b; do
    if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" gt "$b"; then echo 1; else echo 0; fi
  done <<'END'\n${asked.map((each) => each.join(' ')).join('\n')}\nEND`
  const { stdout } = await run('bash', ['-c', script])
  expect(asked.map((each) => ours('deb', each))).toEqual(stdout.trim().split('\n').map(Number))
})

const PYTHON = [
  ...[
    '1.0',
    '1.0.0',
    '1.0a1',
    '1.0.alpha-1',
    '1.0b2',
    '1.0rc1',
    '1.0c1',
    '1.0.dev1',
    '1.0a1.dev2',
    '1.0.post1',
    '1.0-1',
  ],
  ...[
    '1.0.post1.dev3',
    '1.0+local',
    '1.0+local.2',
    '1.0+1',
    '1!0.5',
    'v1.1',
    '1.10',
    '1.9',
    '2024.1.1',
    '1.0a1.post2',
  ],
]
const PACKAGING = `import sys, json
from packaging.version import Version as V
print(json.dumps([(V(a) > V(b)) - (V(a) < V(b)) for a, b in json.loads(sys.argv[1])]))`

test('Python’s versions are in the order of its own library', async ({ skip }) => {
  const asked = pairs(PYTHON)
  const answer = await run('python3', ['-c', PACKAGING, JSON.stringify(asked)]).catch(() => undefined)
  skip(!answer, 'no python3 with packaging')
  expect(asked.map((each) => ours('pypi', each))).toEqual(JSON.parse(answer!.stdout))
})

const MAVEN = [
  ...[
    '1.0',
    '1',
    '1.0.0',
    '1.0-alpha',
    '1.0-alpha-1',
    '1.0-a1',
    '1.0-beta2',
    '1.0-rc1',
    '1.0-CR1',
    '1.0-SNAPSHOT',
    '1.0.Final',
  ],
  ...[
    '1.0.GA',
    '1.0-sp1',
    '1.0.1',
    '1.0-1',
    '2.17.1',
    '2.17',
    '2.3.2',
    '2.12.4',
    '31.1-jre',
    '31.1-android',
    '1.0.RELEASE',
  ],
  ...['2.0-M3', '2.0.M3', '2.0', '1.0-20200101.120000-3', '10.2.0', '9.0.65'],
]
const JARS = ['/usr/share/java/maven-artifact-3.x.jar', '/usr/share/java/commons-lang3.jar']

test.runIf(has('java') && JARS.every((each) => existsSync(each)))(
  'Maven’s versions are in its own order',
  async () => {
    const asked = pairs(MAVEN)
    const program = 'org.apache.maven.artifact.versioning.ComparableVersion'
    const { stdout } = await run('java', ['-cp', JARS.join(':'), program, ...asked.flat()])
    const said = stdout.split('\n').flatMap((line) => /^ {3}(\S+) (<|>|==) (\S+)$/.exec(line) ?? [])
    const order = { '<': -1, '>': 1, '==': 0 }
    const found: string[] = []
    for (let at = 0; at < said.length; at += 4) {
      const [one, sign, other] = [said[at + 1]!, said[at + 2] as '<', said[at + 3]!]
      if (ours('maven', [one, other]) !== order[sign]) found.push(said[at]!)
    }
    expect(said.length).toBeGreaterThan(4 * asked.length)
    expect(found).toEqual([])
  },
)

/** From the tables that apk-tools, rpm and RubyGems are tested with. */
const KNOWN: Record<string, string> = {
  apk: `2.34 > 0.1.0_alpha; 0.1.0_alpha2 > 0.1.0_alpha; 1.0.4-r3 < 1.0.4-r4; 1.1 > 1.1_alpha1; 2.3.0b-r1 < 2.3.0b-r2
    1.2.3 < 1.2.3_p1; 1.0_p10-r1 > 1.0_p2-r3; 0.12.3 > 0.12; 1.3_alpha < 1.3_alpha2; 2.2.39-r1 > 1.0.4-r3; 1.2.12.1 < 1.2.13
    3.1.4-r10 > 3.1.4-r9; 1.0.01 < 1.0.1; 1.2.5-r10 = 1.2.5-r10; 5.0_rc1 < 5.0; 5.0_git20200101 > 5.0; 1.36.1-r15 < 1.36.1-r20`,
  rpm: `1.0 < 2.0; 2.0.1 < 2.0.1a; 5.5p1 < 5.5p10; 10xyz < 10.1xyz; xyz10 < xyz10.1; 1.0~rc1 < 1.0; 1.0~rc1 < 1.0~rc2
    1.0^ > 1.0; 1.0^git1 < 1.01; 1.0^git1~pre < 1.0^git1; 1:1.0-1.el9 > 2.0-1.el9; 1.1.1k-6.el8_5 < 1.1.1k-7.el8_6; 6.0.rc1 > 6.0
    a = a; 2.0 = 2_0; 3.0.7-16.el9_2 < 3.0.7-24.el9; 1.1 = 1.1-4.el9`,
  gem: `1.0 < 1.1; 1.0.a < 1.0; 1.0.a10 > 1.0.a9; 1.0 = 1.0.0; 7.0.4.1 > 7.0.4; 1.0.0.rc1 < 1.0.0; 5.2.4.beta < 5.2.4; 10.0 > 9.1`,
  npm: `1.2.5 < 1.2.6; 1.0.0-alpha < 1.0.0-alpha.1; 1.0.0-rc.1 < 1.0.0; 1.10.0 > 1.9.0; 1.0.0 = 1.0.0+build`,
  golang: `v1.2.3 < v1.10.0; v0.0.0-20200101000000-abcdefabcdef < v0.0.0-20210101000000-abcdefabcdef; 1.22 < 1.22.1; v1.2.3 = 1.2.3`,
  nuget: `13.0.1 > 12.0.3; 4.5.0 < 4.5.0.1`,
}

test.each(Object.entries(KNOWN))('versions of type %s are in the order that is known', (type, table) => {
  for (const line of table.split(/;|\n/)) {
    const [one, sign, other] = line.trim().split(' ') as [string, '<' | '>' | '=', string]
    expect([line, ours(type, [one, other])]).toEqual([line, { '<': -1, '>': 1, '=': 0 }[sign]])
    expect([line, ours(type, [other, one])]).toEqual([line, 0 - { '<': -1, '>': 1, '=': 0 }[sign]])
  }
})
