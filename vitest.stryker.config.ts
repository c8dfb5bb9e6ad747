// What mutation testing runs: the tests that need no process of their own.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,property,contract,domain}/**/*.test.ts'],
    exclude: ['test/unit/architecture.test.ts'],
  },
})
