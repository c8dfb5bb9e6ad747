import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// The guide's test deploys a twin of its own.
const onSharedTwin = process.env.TEST_STORES === 'twin' && process.env.TWIN_VARIANT !== 'guide'

/** Those that take longest go first: at the end they would keep one core waiting. */
const LONG = ['test/cli/operations', 'test/cli/startup', 'test/api/proxy', 'test/domain/login-limits']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.includes(name))
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A machine may be busy with something else for a while: these are for what never ends.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 10_000 } },
    setupFiles: onSharedTwin ? ['test/twin/started.ts'] : [],
    // Two cores: more workers only make timings worse.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
})
