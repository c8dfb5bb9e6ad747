// CSV as another program reads it: Python's csv module.
import { spawnSync } from 'node:child_process'

const READ =
  'import csv,io,json,sys; print(json.dumps(list(csv.reader(io.TextIOWrapper(sys.stdin.buffer, "utf8", newline="")))))'

export function csvRows(bytes: Uint8Array): string[][] {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', READ], { input: bytes, maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(stderr.toString())
  return JSON.parse(stdout.toString())
}
