// Patterns of repositories, as Harbor writes them: `library/*`, `bitnami/**`, `{one,two}/app`, with commas between them.
import { globOf, patternFault } from './glob.ts'

/** Whether one of the patterns matches the whole name. */
export function matchesAny(patterns: string, name: string): boolean {
  return patternsIn(patterns).some((pattern) => globOf(pattern)(name))
}

/** @returns what is wrong with one of the patterns */
export function faultIn(patterns: string): string | undefined {
  return patternsIn(patterns)
    .map(patternFault)
    .find((fault) => fault !== undefined)
}

/** Commas within braces are theirs. */
function patternsIn(patterns: string): string[] {
  const parts = patterns.match(/(?:\{[^{}]*\}|[^,])+/g) ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}
