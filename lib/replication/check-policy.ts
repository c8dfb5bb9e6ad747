// What a replication policy must be like, in Harbor's words where Harbor has some.
import { parseCron } from '../jobs/cron.ts'
import { RegistryError } from '../oci/errors.ts'
import { isName } from '../oci/reference.ts'
import { globMatcher, namesIn, tagMatcher } from './patterns.ts'
import type { PolicyFilter, PolicyText } from './policy.ts'

const NAME_LIMIT = 256
const DESCRIPTION_LIMIT = 1024
const FILTERS_LIMIT = 20
const VALUES_LIMIT = 100
const VALUE_LIMIT = 255
const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/
const TRIGGERS = ['manual', 'scheduled', 'event_based']
const DECORATIONS = ['', 'matches', 'excludes']
const REPLACED_LIMIT = 127
/** As Harbor's column has it. */
const SPEED_LIMIT = 2 ** 31 - 1

/** @returns the policy with its cron in order. @throws REQUEST_INVALID naming what is wrong */
export function checkedPolicy(given: PolicyText): PolicyText {
  const { name, description, namespace, replaceCount, trigger, filters } = given
  if (name === '') throw invalid('empty name')
  if (name.length > NAME_LIMIT) throw invalid(`the name has more than ${NAME_LIMIT} characters`)
  if (description.length > DESCRIPTION_LIMIT)
    throw invalid(`the description has more than ${DESCRIPTION_LIMIT} characters`)
  if (namespace !== '' && !isName(namespace)) throw invalid(`invalid destination namespace: ${namespace}`)
  if (replaceCount < -1 || replaceCount > REPLACED_LIMIT)
    throw invalid(`dest_namespace_replace_count is from -1 to ${REPLACED_LIMIT}`)
  if (filters.length > FILTERS_LIMIT) throw invalid(`there are more than ${FILTERS_LIMIT} filters`)
  for (const filter of filters) checkFilter(filter)
  if (filters.filter(({ type }) => type === 'name').length > 1)
    throw invalid('there is more than one name filter')
  if (!TRIGGERS.includes(trigger)) throw invalid('invalid trigger type')
  if (trigger === 'event_based' && given.direction === 'pull')
    throw invalid('the other registry tells of no events: a pull is manual or scheduled')
  if (given.direction === 'pull' && filters.some(({ type }) => type === 'label'))
    throw invalid('the other registry tells of no labels: they filter only what is pushed')
  if (given.speed > SPEED_LIMIT) throw invalid(`the speed is at most ${SPEED_LIMIT} KB/s`)
  return {
    ...given,
    speed: Math.max(0, given.speed),
    cron: trigger === 'scheduled' ? cronIn(given.cron) : '',
  }
}

function cronIn(cron: string): string {
  if (cron === '') throw invalid('the cron string cannot be empty when the trigger type is scheduled')
  return parseCron(cron)
}

function checkFilter({ type, value, decoration }: PolicyFilter): void {
  if (!DECORATIONS.includes(decoration)) throw invalid(`invalid filter decoration, :${decoration}`)
  if (type === 'label' || type === 'platform') {
    const values = type === 'platform' ? [value].flat() : value
    if (!Array.isArray(values)) throw invalid("the type of label filter value isn't string slice")
    if (values.length > VALUES_LIMIT || values.some((each) => each.length > VALUE_LIMIT))
      throw invalid(`a ${type} filter has at most ${VALUES_LIMIT} values of ${VALUE_LIMIT} characters`)
    const platforms = type === 'platform' ? values.flatMap((each) => each.split(',')) : []
    const wrong = platforms.find((each) => !PLATFORM.test(each.trim()))
    if (wrong !== undefined)
      throw invalid(`${JSON.stringify(wrong)} is no platform such as linux/amd64 or linux/arm/v7`)
  } else if (typeof value !== 'string') throw invalid("the type of filter value isn't string")
  else if (type === 'tag') tagMatcher(value)
  else if (type === 'name') checkName(value)
  else if (type === 'resource') {
    // Harbor's provider for Terraform sends it empty when it is not set.
    if (!['', 'image', 'artifact'].includes(value)) throw invalid(`invalid resource filter: ${value}`)
  } else throw invalid('invalid filter type')
  if ((type === 'name' || type === 'resource' || type === 'platform') && decoration !== '')
    throw invalid('only tag and label filter support decoration')
}

function checkName(pattern: string): void {
  globMatcher(pattern)
  const wrong = namesIn(pattern)?.find((name) => !isName(name))
  if (wrong !== undefined)
    throw invalid(`${JSON.stringify(wrong)} is neither a repository nor a pattern of any`)
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
