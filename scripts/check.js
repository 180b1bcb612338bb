// What every Node can read: an older one would answer TypeScript with its own stack.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `The check needs Node 24; this is ${process.version}. npm scripts bring it along (npm test); where it was left out by --ignore-scripts, "npm rebuild node" gets it.`,
  )
  process.exit(1)
}
await import('./check.ts')
