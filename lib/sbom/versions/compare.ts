// Which of two versions is older, by the rules of where packages of that type come from.
import semver from 'semver'
import { compareAlpine } from './alpine.ts'
import { compareDebian } from './debian.ts'
import { compareMaven } from './maven.ts'
import { comparePython } from './python.ts'
import { compareRpm, compareSegments } from './rpm.ts'
import { compareRuby } from './ruby.ts'

/** @returns below 0, 0 or above; undefined where one of them is no version by those rules */
type Comparer = (one: string, other: string) => number | undefined

/** By the types of package URLs. */
const BY_TYPE: Record<string, Comparer> = {
  deb: compareDebian,
  rpm: compareRpm,
  apk: compareAlpine,
  maven: compareMaven,
  pypi: comparePython,
  gem: compareRuby,
}

/** @param type of the package URL; npm, golang, cargo, nuget, composer and the rest count as semantic versions */
export function compareVersions(type: string, one: string, other: string): number {
  const comparer = Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type]! : compareSemantic
  // What keeps to no rule is compared run by run.
  return comparer(one, other) ?? compareSegments(one, other)
}

function compareSemantic(one: string, other: string): number | undefined {
  const [a, b] = [wholeOf(one), wholeOf(other)]
  if (!semver.valid(a, { loose: true }) || !semver.valid(b, { loose: true })) return undefined
  return semver.compare(a, b, { loose: true })
}

/** `1.2` is 1.2.0. */
function wholeOf(version: string): string {
  const match = /^v?(\d+)(?:\.(\d+))?(?![.\d])(.*)$/s.exec(version.trim())
  return match ? `${match[1]}.${match[2] ?? '0'}.0${match[3]}` : version
}
