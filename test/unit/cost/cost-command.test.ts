// npm run cost as people call it.
import { expect, test } from 'vitest'
import { costCommand } from '../../../lib/cost/cost-command.ts'

function run(...args: string[]): string {
  const lines: string[] = []
  costCommand(args, (line) => lines.push(line))
  return lines.join('\n')
}

const json = (...args: string[]) => JSON.parse(run(...args, '--json'))

test('the table ends with a total of the month and of an idle one, and says of which day its prices are', () => {
  const table = run('--pushes', '100', '--pulls', '1000', '--gib-stored', '10', '--gib-pulled', '500')
  expect(table).toMatch(/at the prices of \d{4}-\d\d-\d\d/)
  expect(table).toMatch(/^ {2}total +\d+\.\d\d +\d+\.\d\d$/m)
})

test('what is not said is derived: bytes pushed from pushes, streamed uploads from whether there is ingest', () => {
  expect(json('--pushes', '100').use).toMatchObject({ gibPushed: 10, streamedShare: 0.5 })
  expect(json('--ingest', 'off').use.streamedShare).toBe(0)
  expect(json('--front-door', 'alb').use.streamedShare).toBe(1)
})

test('private networking buys endpoints and needs no public addresses', () => {
  const { lines } = json('--private-networking').idle
  const usd = (what: string) => lines.find((line: { what: string }) => line.what === what).usd
  expect(usd('interface endpoints')).toBeCloseTo(12 * 7.3)
  expect(usd('public IPv4 addresses')).toBe(0)
})

test('more ingest tasks cost as many times as much', () => {
  const fargate = (tasks: string) =>
    json('--ingest', tasks).idle.lines.find((line: { what: string }) => line.what === 'Fargate').usd
  expect(fargate('9') - fargate('off')).toBeCloseTo(9 * (fargate('1') - fargate('off')))
})

test.each([
  [['--pulls', 'many'], '--pulls is "many"'],
  [['--pulls=-1'], '--pulls is "-1"'],
  [['--streamed-share', '2'], 'a share from 0 to 1'],
  [['--region', 'mars-1'], 'known: us-east-1'],
  [['--ingest', 'off', '--streamed-share', '0.1'], 'nothing can be streamed'],
  [['--front-door', 'alb', '--ingest', 'off'], 'cannot be off with frontDoor: alb'],
  [['--front-door', 'window'], 'frontDoor'],
])('%j is refused, saying what is allowed', (args, text) => {
  expect(() => run(...args)).toThrow(text)
})
