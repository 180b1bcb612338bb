#!/usr/bin/env node
// What every Node can read: an older one would answer the rest with its own stack.
import { readFileSync } from 'node:fs'

const { engines, scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const needed = engines.node.replace('>=', '')
const [major, minor] = process.versions.node.split('.').map(Number)
const [neededMajor, neededMinor = 0] = needed.split('.').map(Number)
if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
  // What is published has no scripts.
  const hint = scripts
    ? ' In a checkout npm scripts bring it along (npm start); where it was left out by --ignore-scripts, "npm rebuild node" gets it.'
    : ''
  console.error(`tenantry needs Node ${needed}; this is ${process.version}.${hint}`)
  process.exit(1)
}
const { main } = await import('#main')
await main(process.argv.slice(2))
