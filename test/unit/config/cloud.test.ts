// What of the cloud's configuration does not go together.
import { expect, test } from 'vitest'
import { cloudSchema } from '../../../lib/config/cloud.ts'

const messages = (cloud: object) => cloudSchema.safeParse(cloud).error?.issues.map(({ message }) => message)

test('ingest and directUploads are not both off, because nothing could be pushed', () => {
  const [message] = messages({ ingest: 'off', directUploads: 'off' })!
  expect(message).toContain('ingest')
  expect(message).toContain('directUploads')
  expect(messages({ ingest: 'off' })).toBeUndefined()
  expect(messages({ directUploads: 'off' })).toBeUndefined()
})
