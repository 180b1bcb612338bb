import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenApiDocument } from '../kernel/http/openapi.ts'

const DOCUMENT = 'document'

/**
 * Validates values against schemas that stand in an API document, each named by its JSON Pointer (`#/components/…`).
 * Another validator than the server's own, so that one cannot hide what the other gets wrong.
 */
export function createDocumentValidator(document: OpenApiDocument): (pointer: string) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false })
  addFormats.default(ajv)
  ajv.addSchema({ ...document, $id: DOCUMENT }, DOCUMENT, false, false)
  const compiled = new Map<string, ValidateFunction>()
  return (pointer) => {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: DOCUMENT + asFragment(pointer) })
    compiled.set(pointer, validate)
    return validate
  }
}

function asFragment(pointer: string): string {
  return `#${pointer.slice(1).split('/').map(encodeURIComponent).join('/')}`
}
