/** Rights to one table, in words; nothing for none. `others`: what anybody else but the owner may do. */
export interface Rights {
  app: string
  system: string
  others?: string
}

const ALL = 'select, insert, update, delete'

/**
 * What the two roles may do with each table of the kernel and the built-in modules: the application role what requests
 * and tenants' jobs need, the system role what sweeps, the operator and the upkeep need. Widening anything here is a
 * decision; say why in the migration that does it.
 */
export const TABLES: Record<string, Rights> = {
  // Records are added, never changed.
  audit_logs: { app: 'select, insert', system: 'select, insert' },
  global_audit_logs: { app: 'insert', system: 'select, insert' },
  audit_chains: { app: 'select', system: 'select, insert, update' },
  audit_blocks: { app: 'select', system: 'select, insert' },
  audit_names: { app: 'select', system: ALL },
  audit_terms: { app: 'select', system: ALL },
  audit_verifications: { app: 'select, insert, update', system: ALL },
  audit_sinks: { app: ALL, system: ALL },

  // What goes out, in its order: neither is ever changed. Months go as a whole.
  events: { app: 'select, insert', system: ALL },
  webhooks: { app: ALL, system: ALL },
  webhook_deliveries: {
    app: 'select, insert, update (status, attempts, tries, next_attempt_at, delivered_at, last_attempt_id)',
    system: ALL,
  },
  webhook_attempts: { app: 'select, insert', system: ALL },
  event_heads: { app: 'select, insert, update (position)', system: ALL },

  // What people are told. Its texts are never changed, and months go as a whole.
  notifications: {
    app: 'select, insert, update (updated_at, read_at, archived_at, outcome, outcome_at), delete',
    system: ALL,
  },
  notification_counts: {
    app: 'select, insert, update (updated_at, unread, last_seq, read_to, read_all_at, hidden_to, next_expiry)',
    system: ALL,
  },
  notification_preferences: { app: 'select, insert, update (updated_at, kinds, quiet_hours)', system: ALL },
  notification_sends: { app: 'select, insert, delete', system: ALL },
  push_subscriptions: {
    app: 'select, insert, update (updated_at, user_id, session_id, sealed), delete',
    system: ALL,
  },
  announcements: { app: '', system: ALL },

  // What tenants cost, and what holds one back, is for who runs the installation; a tenant's requests go by their own throttle.
  load_minutes: { app: '', system: ALL },
  load_quarters: { app: '', system: ALL },
  load_totals: { app: '', system: ALL },
  tenant_throttles: { app: 'select', system: ALL },

  // Work and kept answers. Schedules and sweeps are the system's.
  runs: { app: '', system: ALL },
  resting_tenants: { app: '', system: ALL },
  tenant_jobs: { app: ALL, system: ALL },
  system_jobs: {
    app: 'select, insert, update (dedupe_key, status, attempts, run_at, locked_until, locked_by, last_error), delete',
    system: ALL,
  },
  idempotency_keys: { app: ALL, system: ALL },
  global_idempotency_keys: { app: ALL, system: ALL },
  // What came in is known until it is forgotten, whatever happens to it.
  inbound_messages: { app: 'select, insert', system: ALL },
  global_inbound_messages: { app: 'select, insert', system: ALL },

  // People. No request makes a super admin, moves an account to another address or takes a second factor away.
  users: {
    app: 'select, insert (id, created_at, updated_at, email, email_normalized, name, phone, locale, timezone, email_verified_at, two_factor_enabled, status), update (updated_at, name, phone, locale, timezone, email_verified_at, avatar_id)',
    system: ALL,
  },
  // One is shown, or is not; what it is never changes.
  pictures: { app: 'select, insert, update (state, updated_at), delete', system: ALL },
  user_logins: { app: 'select, insert, update (last_login_at, last_tenant_id)', system: ALL },
  user_settings: { app: 'select, insert, update (settings, updated_at)', system: ALL },
  user_tenants: { app: 'select, insert, delete', system: ALL },
  // Where somebody was a member until lately: forgotten by the system role.
  member_departures: { app: 'select, insert, update (left_at)', system: ALL },

  // Who is calling. What is revoked or spent stays so by a policy.
  user_passwords: { app: 'select, insert, update (hash, changed_at)', system: ALL },
  sessions: { app: 'select, insert, update (last_active_at, expires_at, revoked_at)', system: ALL },
  refresh_tokens: { app: 'select, insert, update (used_at, successor_sealed)', system: ALL },
  user_tokens: { app: 'select, insert, update (used_at)', system: ALL },
  known_devices: { app: 'select, insert, update (last_seen_at)', system: ALL },
  login_failures: { app: ALL, system: ALL },
  sign_in_refusals: {
    app: 'select, insert, update (attempts, first_at, last_at, device, ip_address)',
    system: ALL,
  },
  signing_keys: { app: 'select', system: ALL },
  bootstraps: { app: '', system: ALL },

  // Tenants and what is theirs.
  tenants: {
    app: 'select, insert, update (name, slug, owner_id, settings, branding, updated_at, logo_id)',
    // That it is all there, and its end, through functions alone.
    system:
      'select, insert, update (name, slug, status, owner_id, settings, branding, created_at, updated_at, logo_id, suspended_at, suspended_reason)',
  },
  tenant_founders: { app: 'select, insert, update (founded)', system: ALL },
  tenant_slugs: { app: 'select, insert, update (slug)', system: ALL },
  stores: { app: ALL, system: ALL },
  // What is stored never changes; where it is, and whether anybody gets it, does.
  files: {
    app: 'select, insert, update (filename, storage_backend, store_id, is_public, scan_status, trashed_at, missing_at, updated_at, scan_retry_at), delete',
    system: ALL,
  },
  file_uploads: {
    app: 'select, insert, update (reserved, received, pieces, kept, writer, writer_until, entity_type, entity_id, store_id, is_public, expires_at, updated_at), delete',
    system: ALL,
  },
  // What was asked for, and when, stays as it was written.
  tenant_exports: {
    app: 'select, insert, update (attempts, tables_done, tables_total, rows_done, files_done, files_total, started_at, finished_at, error, storage_backend, storage_path, size, checksum_sha256, expires_at, updated_at), delete',
    system: ALL,
  },
  tenant_restores: { app: '', system: ALL },
  tenant_imports: { app: '', system: ALL },
  tenant_import_people: { app: '', system: ALL },
  // By what tenants end. When one was marked is for nobody to write, and what was certified for nobody to change.
  tenant_removals: {
    app: '',
    system:
      'select, insert (tenant_id, requested_at, requested_by_type, requested_by_id, requested_by_label, reason, purge_at), update (reminded_days, mail_ids, begun_at, claimed_by, claimed_until, progress, problem, retry_at), delete',
  },
  tenant_removal_people: { app: '', system: ALL },
  tenant_removal_certificates: { app: '', system: 'select, insert' },
  roles: { app: ALL, system: ALL },
  role_assignments: { app: 'select, insert, delete', system: ALL },
  members: { app: ALL, system: ALL },
  invitations: { app: 'select, insert, update', system: ALL },
  invitation_roles: { app: ALL, system: ALL },
  mail_pauses: { app: ALL, system: ALL },
  mail_domains: { app: ALL, system: ALL },
  mail_domain_claims: { app: ALL, system: ALL },
  mails: { app: ALL, system: ALL },
  // Their log is cut by a schedule alone.
  global_mails: { app: 'select, insert, update', system: ALL },
  mail_suppressions: { app: ALL, system: ALL },
  dead_addresses: { app: ALL, system: ALL },

  // Keys stay, and so does who made them; what the directory says of one never changes.
  api_keys: {
    app: 'select, insert, update (updated_at, name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute, expires_at, overlap_ends_at, revoked_at, counted_until, frozen_rights, reminded_days)',
    system: ALL,
  },
  api_key_hashes: { app: 'select, insert', system: ALL },
  api_key_usage: { app: 'select', system: ALL },

  // Plans are the operator's, and so is what tenants get beside theirs.
  plans: { app: 'select', system: ALL },
  rollouts: { app: 'select', system: ALL },
  subscriptions: {
    app: 'select, insert, update (plan_id, pending_plan_id, status, trial_ends_at, anchored_at, current_period_start, current_period_end, cancel_at_period_end, cancel_reason, canceled_at, grace_ends_at, payment_method, payment_provider, payment_reference, charge, next_change_at, updated_at, warned_days)',
    system: ALL,
  },
  person_trials: { app: 'select, insert, update (trials)', system: ALL },
  limit_usage: { app: ALL, system: ALL },
  // Only operators begin to act as somebody else.
  impersonations: { app: 'select, delete', system: ALL },

  // What the schema says of itself.
  'tenantry.tables': { app: '', system: 'select' },
  'tenantry.migrations': { app: '', system: 'select' },
}

/** Who may call each function; nothing for the owner alone. */
export const FUNCTIONS: Record<string, string> = {
  set_tenant: 'app',
  set_reader: 'app',
  refuse_tenant: 'app',
  uuid_at: 'system',
  ensure_partitions: 'system',
  remove_audit_logs: 'system',
  remove_audit_blocks: 'system',
  drop_audit_month: 'system',
  drop_notification_month: 'system',
  drop_oldest_month: 'system',
  remove_half_imported: 'system',
  complete_import: 'system',
  remove_half_tenant: 'system',
  delivery_id: 'app, system',
  assert_removing: 'system',
  remove_rows: 'system',
  remove_leaves: 'system',
  loosen_rows: 'system',
  remove_tenant: 'system',
  // Called by migrations and by other functions.
  set_rights: '',
  app_may: '',
  system_may: '',
  tenant_table: '',
  kept_for: '',
  global_table: '',
  audit_given_up: '',
  audit_kept_at_least: '',
  audit_month_is_given_up: '',
  removal_key: '',
  removal_references: '',
}
