import type { Impersonation } from '../access/impersonation.ts'

/** A JSON Schema (2020-12), as OpenAPI 3.1 uses it. */
export type JsonSchema = { [keyword: string]: unknown }

export interface MediaType {
  schema: JsonSchema
  example?: unknown
  examples?: Record<string, { summary?: string; value: unknown }>
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header' | 'cookie'
  required: boolean
  description?: string
  schema: JsonSchema
}

export interface AnswerObject {
  description: string
  headers?: Record<string, { $ref: string }>
  content?: Record<string, MediaType>
}

export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { description?: string; required: boolean; content: Record<string, MediaType> }
  responses: Record<string, AnswerObject | { $ref: string }>
  security?: Record<string, string[]>[]
  /** `public`, `self`, `super_admin`, `operator`, or the permission's code. */
  'x-permission'?: string
  /** The roles of operators of which one is enough. */
  'x-operator-roles'?: readonly string[]
  /** Which store a grant for a single store must be for. */
  'x-permission-store'?: string
  /** That API keys may not call it. */
  'x-callers'?: 'people'
  /** What of it is for operators who act as somebody else. */
  'x-impersonation'?: Impersonation
  'x-limit'?: string
  'x-feature'?: string
  /** The rate limits that its requests count under, by their names in `RateLimit-Policy`. */
  'x-rate-limits'?: string[]
}

export type PathItem = Record<string, Operation>

/** The API document: OpenAPI 3.1, as far as this project writes it. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string; license?: { name: string; identifier: string } }
  servers: { url: string; description: string }[]
  tags: { name: string; description?: string }[]
  paths: Record<string, PathItem>
  /** Messages that the server sends, by the names of their events. */
  webhooks?: Record<string, PathItem>
  components: {
    schemas: Record<string, JsonSchema>
    responses: Record<string, AnswerObject>
    parameters: Record<string, Parameter>
    headers: Record<string, { description: string; required?: boolean; schema: JsonSchema }>
    securitySchemes: Record<string, Record<string, string>>
  }
}
