// What functions are told: all of it checked when their container starts.
import { expect, test } from 'vitest'
import { readFunctionSettings } from '../../../lib/functions/settings.ts'

const NEEDED = { ENTREPOT_TABLE: 'table', ENTREPOT_BUCKET: 'bucket', ENTREPOT_SECRETS: 'secret' }

test('a function has the usual settings, or those it is told', () => {
  expect(readFunctionSettings(NEEDED).config).toMatchObject({
    table: 'table',
    bucket: 'bucket',
    secrets: 'secret',
    undoWindowDays: 7,
    pushGraceHours: 24,
    blobLimitGiB: 5120,
    auditLogDays: 365,
    directUploads: 'off',
    edge: 'off',
    open: false,
  })
  const told = { ENTREPOT_UNDO_WINDOW_DAYS: '0', ENTREPOT_EDGE: 'on', ENTREPOT_DIRECT_UPLOADS: 'on' }
  const { config } = readFunctionSettings({ ...NEEDED, ...told })
  expect(config).toMatchObject({ undoWindowDays: 0, edge: 'on', directUploads: 'on' })
  expect(config.cognitoPool).toBeUndefined()
})

test('a variable that is missing or wrong is named', () => {
  for (const [env, name] of [
    [{ ENTREPOT_TABLE: undefined }, 'ENTREPOT_TABLE'],
    [{ ENTREPOT_SECRETS: '' }, 'ENTREPOT_SECRETS'],
    [{ ENTREPOT_UNDO_WINDOW_DAYS: 'week' }, 'ENTREPOT_UNDO_WINDOW_DAYS'],
    [{ ENTREPOT_EDGE: 'yes' }, 'ENTREPOT_EDGE'],
    [{ ENTREPOT_COGNITO_POOL: 'eu-west-1_x' }, 'ENTREPOT_COGNITO_CLIENT'],
  ] as const)
    expect(() => readFunctionSettings({ ...NEEDED, ...env })).toThrow(name)
})
