import { migrationSourcesOf, readMigrations } from '../db/migrate.ts'
import type { Module } from '../module.ts'

/** Which module a table belongs to, and its schema: the number of the last migration of that module which names the table. */
export interface TableVersion {
  module: string
  version: number
}

const TENANT_TABLE = /\btenantry\.tenant_table\(\s*'([a-z0-9_]+)'/g

/** The versions of the tenant-owned tables of these modules and the kernel, by the table's name. */
export async function listTableVersions(modules: readonly Module[]): Promise<Map<string, TableVersion>> {
  const versions = new Map<string, TableVersion>()
  for (const { module, name, sql } of await readMigrations(migrationSourcesOf(modules))) {
    for (const [, table = ''] of sql.matchAll(TENANT_TABLE)) versions.set(table, { module, version: 0 })
    for (const [table, known] of versions)
      if (known.module === module && new RegExp(`\\b${table}\\b`).test(sql)) known.version = Number(name.slice(0, 4))
  }
  return versions
}
