// catalog/main.ts: the application, which is the built-in modules and this one
import { builtinModules, runCommand } from 'tenantry'
import { addArticles, retireArticles } from './commands.ts'
import { catalog } from './index.ts'

const modules = [...builtinModules, catalog]
await runCommand(process.argv.slice(2), { modules, commands: [addArticles, retireArticles], product: { name: 'Shop' } })
