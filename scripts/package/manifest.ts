/** As much of a `package.json` as is read or changed here. */
export interface Manifest {
  name: string
  version: string
  engines: Record<string, string>
  imports: Record<string, unknown>
  exports: Record<string, unknown>
  scripts?: Record<string, string>
  [field: string]: unknown
}

/** The oldest Node that runs what is published: the dependencies need it. */
export const OLDEST_NODE = '>=22.19'

/**
 * The `package.json` that is published. In the checkout the doors lead to the sources, which Node runs as they are; under
 * `node_modules` it strips no types, so there they lead to what was built, one door for each module.
 */
export function describePackage(checkout: Manifest, modules: readonly string[]): Manifest {
  const { scripts: _, ...kept } = checkout
  return {
    ...kept,
    engines: { node: OLDEST_NODE },
    imports: Object.fromEntries(
      Object.entries(checkout.imports).map(([name, source]) => [name, builtFrom(String(source))]),
    ),
    exports: {
      '.': built('index'),
      './testing': built('testing/index'),
      ...Object.fromEntries(modules.toSorted().map((name) => [`./${name}`, built(`modules/${name}/index`)])),
      './package.json': './package.json',
    },
  }
}

function builtFrom(source: string): Record<string, string> {
  const path = /^\.\/src\/(.+)\.ts$/.exec(source)?.[1]
  if (path === undefined) throw new Error(`core/package.json imports ${source}, which is no source`)
  return built(path)
}

const built = (path: string) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` })
