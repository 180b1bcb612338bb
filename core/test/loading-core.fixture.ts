// A process of its own for cases.test.ts: starts and stops a core, and says which of its files that loaded.
import { registerHooks } from 'node:module'

const loaded: string[] = []
registerHooks({
  load: (url, context, next) => {
    loaded.push(url)
    return next(url, context)
  },
})
const { builtinModules, createCore, loadConfig } = await import('../src/index.ts')
const core = await createCore({ config: loadConfig(process.env, builtinModules), modules: builtinModules })
const app = await core.app()
await app.inject('/api/openapi.json')
await core.startWorker()
await core.close()
const root = new URL('../src/', import.meta.url).href
process.stdout.write(JSON.stringify(loaded.filter((url) => url.startsWith(root)).map((url) => url.slice(root.length))))
