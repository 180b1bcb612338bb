/** Lets the bench ask this process what CPU time it has used, in microseconds, and how much memory it holds, in bytes. */
export function tellCost(): void {
  process.on('message', (message) => {
    if (message !== 'cost') return
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: user + system, memory: process.memoryUsage.rss() })
  })
}
