// Makes the package that is published. npm calls it with prepack and postpack when somebody packs or publishes core;
// `node scripts/package.ts <folder>` builds it elsewhere.
import { resolve } from 'node:path'
import { buildPackage, writeManifest } from './package/build.ts'
import { putBack, putBackAfter, putInPlace } from './package/swap.ts'

const core = resolve(import.meta.dirname, '../core')
const [what, pid] = process.argv.slice(2)

if (what === 'prepack') await putInPlace(core)
else if (what === 'postpack') await putBack(core)
else if (what === 'guard') await putBackAfter(core, Number(pid))
else if (what === undefined) throw new Error('Name the folder that the package is to be built in')
else {
  await buildPackage(core, resolve(what))
  await writeManifest(core, resolve(what))
}
