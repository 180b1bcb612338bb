import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

/** What publint and attw have against a package, one line each; nothing when it is as it should be. */
export async function judgePackage(folder: string, tarball: Uint8Array): Promise<string[]> {
  const { messages, pkg } = await publint({ pkgDir: folder, strict: true })
  const said = messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`)
  const { types, ...analysis } = await checkPackage(createPackageFromTarballData(tarball))
  if (!types) return [...said, 'attw: the package has no types']
  const problems = 'problems' in analysis ? analysis.problems : []
  return [...said, ...problems.filter(isOurs).map((problem) => `attw: ${describe(problem)}`)]
}

/** The package is of modules alone: `require` of old Nodes and resolvers without `exports` are not what it is for. */
function isOurs(problem: Problem): boolean {
  const resolution = 'resolutionKind' in problem ? problem.resolutionKind : undefined
  return resolution !== 'node10' && resolution !== 'node16-cjs'
}

function describe(problem: Problem): string {
  return Object.entries(problem)
    .filter(([, value]) => typeof value === 'string')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
