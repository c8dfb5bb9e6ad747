// What another registry's API answered, read with care: nothing of it is certain but that it is JSON.

export type Fields = Record<string, unknown>

/** Empty when it is missing, or no text. */
export function textIn(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

/** Also of a number that is written as text. */
export function numberIn(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  const given = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  return typeof given === 'number' && Number.isSafeInteger(given) ? given : undefined
}

export function flagIn(fields: Fields, name: string): boolean {
  return fields[name] === true || fields[name] === 'true'
}

export function objectIn(fields: Fields, name: string): Fields {
  const value = fields[name]
  return isFields(value) ? value : {}
}

/** Without entries that are no objects. */
export function objectsIn(fields: Fields, name: string): Fields[] {
  const value = fields[name]
  return Array.isArray(value) ? value.filter(isFields) : []
}

export function textsIn(fields: Fields, name: string): string[] {
  const value = fields[name]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
