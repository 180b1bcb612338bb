import type { OperatorRole } from '../../kernel/access/operators.ts'
import type { Module } from '../../kernel/module.ts'
import type { TestCore, TestCoreOptions } from '../core.ts'
import type { SentFile } from '../form.ts'
import type { Answered } from '../request.ts'

/**
 * Who sends a request: the kinds of credential that every route is tried with. `apiKey` may all that a key can, `storeKey` the
 * same in one store; `revokedKey` was good once; `none` sends nothing.
 */
export const KINDS = [
  'owner',
  'staff',
  'apiKey',
  'storeKey',
  'superAdmin',
  'expired',
  'revoked',
  'revokedKey',
  'none',
] as const // the words are the type
export type Kind = (typeof KINDS)[number]

/** Credentials of tenant A; a kind that is left out is not tried. */
export type Credentials = { owner: string } & Partial<Record<Exclude<Kind, 'owner' | 'none'>, string>>

/** A credential of an operator for each role, who has no other. */
export type OperatorCredentials = Partial<Record<OperatorRole, string>>

/** Credentials of operators who act as tenant A's owner: one who only reads, and one who may write. */
export interface ImpersonatedCredentials {
  reads: string
  writes: string
}

/** What a tenant is founded with. */
export interface Founded {
  tenantId: string
  /** The owner's credential. */
  owner: string
  /** The owner's e-mail address and password, for what asks for them. */
  email: string
  password: string
  /** A new credential of the owner, in a session of its own. */
  signIn(): Promise<string>
}

/** How the kit comes by its tenants and by credentials. The default goes through the front door of the built-in modules. */
export interface Founding {
  /** Founds a tenant whose every text contains `marker`. */
  found(test: TestCore, marker: string): Promise<Founded>
  /** May move the clock, and then gives both tenants' `owner` anew. */
  credentials(test: TestCore, a: Tenant, b: Tenant): Promise<Credentials>
  /** People who work in `own`'s store and hold nothing in `other`'s. Left out: stores are not tried. */
  clerks?(test: TestCore, own: Tenant, other: Tenant): Promise<Clerks>
  /** People who run the installation. Left out: no role of theirs is tried. */
  operators?(test: TestCore): Promise<OperatorCredentials>
  /** Operators who act as `own`'s owner. Left out, or null: nobody can, and it is not tried. */
  impersonated?(test: TestCore, own: Tenant): Promise<ImpersonatedCredentials | null>
}

/** Credentials of people who hold every store permission in one store. */
export interface Clerks {
  /** In that store, and nothing else. */
  clerk: string
  /** And something little for the whole tenant, so that other stores may be named. */
  deputy?: string
  /** An API key that may all that a key can, in that store. */
  storeKey?: string
}

/** One of the two tenants, with one of everything. */
export interface Tenant extends Founded {
  test: TestCore
  /** In every text that belongs to the tenant. */
  marker: string
  /** The id of the tenant's object of a collection such as `/stores`; made through its route when it is first asked for. */
  id(collection: string): Promise<string>
  /** A text with the marker that was never used before. */
  text(): string
  /** Sends a request as the owner; throws unless it succeeds. Gives the body. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape; cases know what they asked for
  send(method: string, path: string, body?: unknown): Promise<any>
}

/** What a request carries. What a case gives stands over what is made from the schemas. */
export interface Filling {
  params?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Record<string, unknown>
  /** For a route that takes its body as it is, at once or while it arrives. */
  raw?: string | Buffer
  /** For a route that takes a form with a file. Default: a short text. */
  file?: SentFile
  /** Who succeeds with it, where that is not the tenant's owner. */
  token?: string
  /** For the same request once more: another token of the same person. Default: of the owner, in another session. */
  again?: () => string | Promise<string>
}

/** A filling with all that the route asks for. */
export type Filled = Required<Pick<Filling, 'params' | 'query' | 'headers' | 'body'>> & Filling

/**
 * What tests are told of a module, beside its code: the isolation kit and the proofs of routes make requests from it.
 * What the schemas say is made from them; only the rest is told. Routes are named as they are declared: `POST /stores`.
 */
export interface Cases {
  routes?: Readonly<Record<string, RouteCase>>
  /** How an object of a collection is made, where it isn't `POST <collection>`: the route, or what gives its id. */
  makers?: Readonly<Record<string, string | ((tenant: Tenant) => string | Promise<string>)>>
  /**
   * The collection that an id speaks of, by the name of its field or by the path in front of it: `{ author_id: '/users' }`.
   * `tenant`: the tenant itself. `null`: nothing that belongs to a tenant. Default: `store_id` is one of `/stores`.
   */
  ids?: Readonly<Record<string, string | null>>
  /**
   * Of a row of a table that no route fills, for the tenant: what columns do not say by their types, defaults and foreign
   * keys, such as a word that a check asks for.
   */
  tableRows?: Readonly<Record<string, (tenant: Tenant) => TableRow | Promise<TableRow>>>
}

export type TableRow = Record<string, unknown>

/** What is told of a route. */
export interface RouteCase {
  /** Parts of a request that succeeds; makes what that needs, anew each time it is called. */
  given?(tenant: Tenant): Filling | Promise<Filling>
  /** Throws unless the answer, and what became of it, is as it should be. What may be left out was sent, or was not. */
  see?(answer: Answered, sent: Filled, tenant: Tenant): void | Promise<void>
  /** Where what `given` makes is good for one request only: what the attempts to reach another tenant carry instead. */
  once?: Filling
  /** A request that carries a tenant's id inside of something else, such as a token; tried with B's and with one that never was. */
  probe?(tenantId: string): Filling
  /**
   * Parts of a request of the first tenant, good in all else, that names something of the second where schemas do not
   * show it: in signed bytes, in a cookie, in a token. It must be refused or change and show nothing of the second; with one tenant as both it
   * must succeed, so what `given` would repeat need not be given. Asked for anew each time. `null`: nothing there names
   * what belongs to a tenant. Needed for a route with a raw body, and for one with ids in cookies.
   */
  across?: ((own: Tenant, other: Tenant) => Filling | Promise<Filling>) | null
  /** Why only its maker gets at what it names: that people of one store are let in with what stands there, the kit cannot show. */
  ownOnly?: string
  /** Why the kit cannot show its success: all else is tried on it. */
  unproven?: string
  /** Why nothing of a tenant is at stake: it is not tried at all. */
  exempt?: string
}

export interface IsolationOptions {
  /** Default: the built-in ones. */
  modules?: readonly Module[]
  /** Names of modules whose routes and tables are tried, the others' are not. Default: all. For one change after another. */
  only?: readonly string[]
  /** What is told beside the cases that the modules bring. It stands over theirs. */
  cases?: Cases
  founding?: Founding
  env?: TestCoreOptions['env']
  /** Runs before anything is tried. */
  prepare?: (test: TestCore) => Promise<void>
}

/** What the kit did, when it found nothing. */
export interface IsolationReport {
  /** Requests and statements by which one tenant tried to reach the other. */
  attempts: number
  requests: number
  /** The requests of each kind of credential, also of people of single stores. */
  byKind: Readonly<Record<string, number>>
  statements: number
  routes: number
  tables: number
}
