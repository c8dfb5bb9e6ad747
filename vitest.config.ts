import { defineConfig } from 'vitest/config'

// The guide's test deploys a twin of its own.
const onSharedTwin = process.env.TEST_STORES === 'twin' && process.env.TWIN_VARIANT !== 'guide'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // A machine may be busy with something else for a while.
    expect: { poll: { timeout: 30_000 } },
    setupFiles: onSharedTwin ? ['test/twin/started.ts'] : [],
    // Two cores: more workers only make timings worse.
    maxWorkers: 2,
  },
})
