import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '@hey-api/openapi-ts'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'

/**
 * Makes what applications make of an API document: the client of `@hey-api/openapi-ts` in `<folder>/hey-api`, the types
 * of `openapi-typescript` in `<folder>/paths.ts`.
 */
export async function generateClients(document: string, folder: string): Promise<void> {
  const file = join(folder, 'openapi.json')
  await writeFile(file, document)
  await createClient({
    input: file,
    output: join(folder, 'hey-api'),
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    logs: { level: 'silent', file: false },
  })
  const types = await openapiTS(JSON.parse(document) as OpenAPI3) // a document of 3.1, which it takes too
  await writeFile(join(folder, 'paths.ts'), astToString(types))
}
