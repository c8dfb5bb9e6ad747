// Loaded by the twin's tasks: whoever started them went away, so they go too.
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume()
process.stdin.unref()
