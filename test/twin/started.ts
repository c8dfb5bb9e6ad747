// Before the files of a run that shares the twin. Its start takes minutes on a slow machine, and would otherwise count as
// the time of whatever test file comes first.
import { sharedTwin } from './shared.ts'

await sharedTwin()
