// Loaded before the server by the sabotage switch: files say that they are synced and are not.
import { open } from 'node:fs/promises'
import os from 'node:os'

const handle = await open(os.devNull, 'r')
const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void>; datasync(): Promise<void> }
await handle.close()
prototype.sync = async () => {}
prototype.datasync = async () => {}
