// What mutation testing runs: the tests that need no process of their own.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,property,contract,domain,model}/**/*.test.ts'],
    exclude: ['test/unit/architecture.test.ts'],
    // A short model run, always the same one: a mutant must not survive or die by luck.
    env: { MODEL_STEPS: '2500', MODEL_SEED: '7' },
  },
})
