// What the suites skip against us, and why that is right.

export const OLD_SKIPS: Record<string, string> = {
  'Pull Setup Get tag name from environment': 'only for registries that cannot be pushed to',
  'Content Discovery Setup Populate registry with test tags (no push)':
    'only for registries that cannot be pushed to',
  'Cross-mounting of nonexistent blob should yield session id':
    'only where mounts are not supported: ours answered 201',
  'Cross-mounting without from, and automatic content discovery disabled should return a 202':
    'the other branch of an option: ours discovers content, which the suite does test',
}

export const MAIN_SKIPS: Record<string, string> = {
  'mount anonymous/blob-mount-anonymous':
    'optional: a mount without `from` finds blobs that some manifest uses; the suite’s blob has none yet',
  'Sparse Manifests':
    'optional: manifests whose content was never pushed are refused unless the project allows them',
}

/** @returns skips nobody has justified */
export function unexplained(skipped: string[], known: Record<string, string>): string[] {
  return skipped.filter((name) => !Object.keys(known).some((each) => name.includes(each)))
}
