import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../../core/src/testing/until.ts'

/** How long one step may take on a machine that is busy with much else. */
export const PATIENCE_MS = 300_000

/** What packing needs of a checkout, copied, so that nothing changes in it while others work there. */
export async function copyCheckout(root: string, target: string, core = join(root, 'core')): Promise<void> {
  await mkdir(target)
  for (const name of ['README.md', 'LICENSE', 'package.json', 'tsconfig.json', 'scripts/package.ts', 'scripts/package'])
    await cp(join(root, name), join(target, name), { recursive: true })
  await cp(core, join(target, 'core'), { recursive: true, filter: (path) => !path.endsWith('node_modules') })
  await symlink(join(root, 'node_modules'), join(target, 'node_modules'))
}

interface RunOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
}

/** Runs a program to its end and gives what it wrote. Throws with its first words when that is no good end. */
export async function run(program: string, args: string[], { cwd, env }: RunOptions): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      timeout: PATIENCE_MS,
      maxBuffer: 10 * 1024 * 1024,
    })
    return stdout
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error)) throw error
    const said = `${error.stdout}${error.stderr}`.trim().split('\n').slice(0, 15).join('\n')
    throw new Error(`${[program, ...args].join(' ')}: ${said || error.message}`, { cause: error })
  }
}

/** How this machine reaches a registry; without it npm waits for minutes, and then fails. */
const NETWORK = /^(?:node_extra_ca_certs|https?_proxy|no_proxy|npm_config_(?:registry|userconfig|cafile|cache))$/i

/** Quiet but for errors; what the machine has already is not asked for again. */
export function npm(args: string[], cwd: string): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => NETWORK.test(name)))
  return run('npm', [...args, '--prefer-offline', '--loglevel=error', '--no-audit', '--no-fund'], { cwd, env })
}

/** The program of the newest Node of a major version, from npm. */
export async function installNode(major: string, folder: string): Promise<string> {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const isApple = process.platform === 'darwin' && process.arch === 'arm64'
  const name = `${isApple ? 'node-bin' : 'node'}-${platform}-${process.arch}`
  await mkdir(folder)
  await npm(['install', '--prefix', folder, '--ignore-scripts', `${name}@${major}`], folder)
  return join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/** Every file under a folder, by its path there. */
export async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()
}

/** Starts the application in a folder, lets `look` at its address while it runs, and stops it as a supervisor does. */
export async function whileStarted(node: string, cwd: string, look: (base: string) => Promise<void>): Promise<void> {
  const env = { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'warn' }
  const child = spawn(node, ['main.ts', 'start'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
    })
  let code: number | null | undefined
  const ended = once(child, 'close').then(([status]) => {
    code = status
  })
  try {
    const base = () => /API +(http:\S+)\/api\/v1/.exec(said)?.[1]
    await until('the start of the application', () => base() !== undefined || code !== undefined, PATIENCE_MS)
    if (!base()) throw new Error(`The application did not start:\n${said}`)
    await look(base() ?? '')
  } finally {
    child.kill('SIGTERM')
    await ended
  }
  if (code !== 0) throw new Error(`The application ended with ${code}:\n${said}`)
}
