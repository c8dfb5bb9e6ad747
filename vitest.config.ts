import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A machine may be busy with something else for a while.
    expect: { poll: { timeout: 10_000 } },
    // Two cores: more workers only make timings worse.
    maxWorkers: 2,
  },
})
