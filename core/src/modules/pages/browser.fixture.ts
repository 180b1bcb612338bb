import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { findChromium } from '../../testing/chromium.ts'
import { createTestCore, type TestCore, type TestCoreOptions } from '../../testing/index.ts'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-software-rasterizer',
  '--renderer-process-limit=1',
  '--disable-extensions',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
// What takes longer does not come; a busy machine has been seen to take half of it.
const PATIENCE_MS = 90_000
// The colours depend on the scheme, what fits depends on the width: each is looked at once.
const VIEWS = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 360 },
] as const

/** A browser with nothing in it, and a server for it to look at. */
export interface Browsing {
  test: TestCore
  /** Where the server is, without a slash at the end. */
  base: string
  /** A page of a new person: no history, no cookies. */
  visit(path: string, options?: BrowserContextOptions): Promise<Page>
  close(): Promise<void>
}

export interface BrowsingOptions extends TestCoreOptions {
  /** Where the server listens on 127.0.0.1. Default: any port. */
  port?: number
}

export async function startBrowsing({ port: wanted = 0, ...options }: BrowsingOptions = {}): Promise<Browsing> {
  const executablePath = findChromium()
  if (!executablePath) throw new Error('There is no Chromium on the PATH. Install it, or set CHROMIUM_PATH.')
  const test = await createTestCore({ ...options, env: { RATE_LIMIT_FACTOR: '0', ...options.env } })
  await test.app.listen({ host: '127.0.0.1', port: wanted })
  const { port } = test.app.server.address() as AddressInfo // it listens on a port
  const base = `http://127.0.0.1:${port}`
  // Playwright gives it an empty profile; what it keeps beside that goes with this folder.
  const home = await mkdtemp(join(tmpdir(), 'tenantry-chromium-'))
  const env = { HOME: home, PATH: `${process.env.PATH}` }
  const browser = await chromium.launch({ executablePath, args: FLAGS, env })
  const contexts: BrowserContext[] = []
  return {
    test,
    base,
    async visit(path, options = {}) {
      const context = await browser.newContext({ locale: 'en', ...options })
      context.setDefaultTimeout(PATIENCE_MS)
      contexts.push(context)
      const page = await context.newPage()
      await page.goto(path.startsWith('http') ? path : `${base}${path}`)
      return page
    },
    async close() {
      for (const context of contexts) await context.close()
      await browser.close()
      await test.close()
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SCREENSHOTS = process.env.SCREENSHOTS_DIR

/**
 * All that axe finds wrong with what is on the page now, light and wide, dark and narrow, and whether it can be scrolled
 * sideways. With SCREENSHOTS_DIR, pictures of both go there. `part`: a selector of what axe looks at; default all.
 */
export async function findFaults(page: Page, name: string, part = 'html'): Promise<string[]> {
  const faults: string[] = []
  // The page's own policy forbids scripts from elsewhere; what the debugger evaluates is none of the page's.
  await page.evaluate(await axe)
  for (const { colorScheme, width } of VIEWS) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 720 })
    const where = `${name}, ${colorScheme}, ${width} px`
    if (SCREENSHOTS)
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true })
    faults.push(...(await runAxe(page, part)).map((fault) => `${where}: ${fault}`))
    if (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) faults.push(`${where}: too wide`)
  }
  return faults
}

interface AxeResults {
  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[]
}

async function runAxe(page: Page, part: string): Promise<string[]> {
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(part)})`)) as AxeResults
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}
