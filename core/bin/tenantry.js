#!/usr/bin/env node
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `tenantry needs Node 24; this is ${process.version}. In a checkout npm scripts bring it along (npm start); where it was left out by --ignore-scripts, "npm rebuild node" gets it.`,
  )
  process.exit(1)
}
const { main } = await import('../src/main.ts')
await main(process.argv.slice(2))
