// entrepot config --from-harbor-yml FILE: prints the configuration that comes nearest to a Harbor's.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ConfigError } from './config.ts'
import { fromHarborYml } from './harbor-yml.ts'

export const CONFIG_USAGE = 'config --from-harbor-yml FILE'

/** @throws ConfigError about the file, Error about its arguments */
export function configCommand(args: string[], print: (line: string) => void): number {
  const { values } = parseArgs({ args, options: { 'from-harbor-yml': { type: 'string' } } })
  const file = values['from-harbor-yml']
  if (file === undefined) throw new Error(`usage: entrepot ${CONFIG_USAGE}`)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`cannot read ${file}: ${(error as Error).message}`)
  }
  print(fromHarborYml(text).trimEnd())
  return 0
}
