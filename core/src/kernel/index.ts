// The kernel's only exit: built-in modules and applications see exactly this.

export {
  type Generated,
  type Insertable,
  type RawBuilder,
  type Selectable,
  type SqlBool,
  sql,
  type Updateable,
} from 'kysely'
export { default as Type, type Static, type TObject, type TSchema } from 'typebox'
export { type Impersonation, isImpersonated } from './access/impersonation.ts'
export { OPERATOR_ROLES, type OperatorRole, operatorRolesOf, type PartialOperatorRole } from './access/operators.ts'
export { requireOwnHand } from './access/own-hand.ts'
export * from './access/slots.ts'
export * from './access/specs.ts'
export { concerns, type Forget, grantsOf, type Resolved, resolveGrants } from './access/standing.ts'
export type { RowsInStores, StorePlace, StoreScope } from './access/store-scope.ts'
export { canonicalAddress, readAddress } from './addresses/addresses.ts'
export { canonicalNetwork, createNetworks, networkOf } from './addresses/networks.ts'
export { defineFiles, type FileRule, PICTURE_TYPES } from './attachments/define.ts'
export * from './clock.ts'
export { type Config, ConfigError, loadConfig } from './config/config.ts'
export {
  type Configuration,
  type ConfigurationEntries,
  type ConfigurationEntry,
  type ConfigurationValues,
  type ConfiguredModule,
  defineConfiguration,
} from './config/declared.ts'
export * as kinds from './config/kinds.ts'
export { hasMailbox } from './config/mailbox.ts'
export { linkTo, type PagePath, type Pages } from './config/pages.ts'
export * from './context.ts'
export type { Core, Declared } from './core.ts'
export { anonymousActor, systemActor } from './create-context.ts'
export { readCursor, writeCursor } from './db/cursors.ts'
export { at, atQuery, constraintOf, NoTenantContext, onUnique, onViolation, sqlState } from './db/errors.ts'
export { containing } from './db/like.ts'
export { type OrderColumn, type PageOf, type PageOptions, page, pageFrom } from './db/page.ts'
export { prepared, preparedRow } from './db/prepared.ts'
export { preparedList } from './db/prepared-list.ts'
export * from './db/tables.ts'
export { insideTenant, onBehalfOf, outsideTenants, performPart } from './derive-context.ts'
export * from './errors.ts'
export * from './events/define.ts'
export type { PublishedEvent } from './events/published.ts'
export type {
  ExportedRow,
  ExportRule,
  ExportRules,
  ImportedPlan,
  ImportedTenant,
  ImportRule,
  ImportTools,
  RestoreRule,
} from './exports/define.ts'
export { listTableVersions, type TableVersion } from './exports/versions.ts'
export { actorFields, EventBody, type EventRow, eventBody } from './feed/event-body.ts'
export type { Dispatcher, PublishedRow } from './feed/publish.ts'
export { columnsOf, pickFields } from './fields.ts'
export { sha256 } from './hash.ts'
export * from './http/answer.ts'
export type { FastifySetup } from './http/build.ts'
export { type Cookie, writeCookie } from './http/cookies.ts'
export { invalidAccessToken, invalidApiKey } from './http/identify.ts'
export { parseJson } from './http/json-text.ts'
export { type OpenApiDocument, openapiDocument } from './http/openapi.ts'
export { sampleOf } from './http/openapi-samples.ts'
export { requireOwnPage } from './http/own-page.ts'
export { toAppError } from './http/problem.ts'
export { readRange } from './http/ranges.ts'
export * from './http/route-input.ts'
export * from './http/schemas.ts'
export { StaticBody, StaticText } from './http/static-text.ts'
export { ofLength, WrongLength } from './http/stream-length.ts'
export * from './ids.ts'
export { defineInbound } from './inbound/define.ts'
export { signatureInvalid } from './inbound/errors.ts'
export type * from './inbound/source.ts'
export { isTimeSigned, type StandardWebhook, standardWebhook } from './inbound/verifiers.ts'
export * from './jobs/define.ts'
export { wakeWorker } from './jobs/enqueue.ts'
export { everyTenant, type Sweep, type SweepPage } from './jobs/every-tenant.ts'
export type { LeaseTimes } from './jobs/queries.ts'
export { putToRest, wakeFromRest } from './jobs/resting.ts'
export { leaseTimes } from './jobs/run.ts'
export {
  type Brand,
  type BrandSource,
  type DkimKey,
  defineMail,
  type IfPaused,
  type Letter,
  type MailDefinition,
  type MailPause,
  type MailSender,
  type MailSenders,
  type MailValue,
  type MailWriting,
  type PostOffice,
  recipientOf,
} from './mails/define.ts'
export type { Subscription, Unsubscribers } from './mails/unsubscribe.ts'
export type { Messages, MessageValue, MessageValues, Reading } from './messages/catalogue.ts'
export * from './module.ts'
export * from './notices/channels.ts'
export * from './notices/define.ts'
export * from './outbound/deliveries.ts'
export * from './outbound/leases.ts'
export type { Outbound, OutboundAnswer, OutboundRequest, SessionOptions } from './outbound/outbound.ts'
export { OutboundError, type OutboundReason } from './outbound/outbound-error.ts'
export {
  checkOutboundUrl,
  checkUrlField,
  MAX_URL_LENGTH,
  problemOfOutboundUrl,
  recordUrl,
} from './outbound/outbound-url.ts'
export { createResolveTxt, type ResolveTxt, type TxtAnswer } from './outbound/resolve-txt.ts'
export { afterFailure, type FailureColumns, NO_FAILURES, type RetryPolicy, retryDelayMs } from './outbound/retries.ts'
export * from './outbound/schemas.ts'
export type { OutboundSession } from './outbound/session.ts'
export { isSigned, type Message, type SignedMessage, signatureHeaders } from './outbound/signing.ts'
export {
  newSigningKeyPair,
  newSigningSecret,
  publicKeyOf,
  type SignatureKind,
  signatureKindOf,
} from './outbound/signing-keys.ts'
export {
  defineSigningSecrets,
  type NewSecret,
  type RotationOptions,
  type SecretRotation,
  SecretsLost,
  type SigningColumns,
  type SigningSecrets,
} from './outbound/signing-secrets.ts'
export { completeProduct, type Product, type ProductOptions, userAgentOf } from './product.ts'
export { DEFAULT_RATE_LIMITS, type RateLimitSpec, type RatePolicy, type RateSubject } from './rates/define.ts'
export type { Count, Counter, RateStore, Taken } from './rates/store.ts'
export { type Permission, type RegisteredRoute, type Registry, RegistryError } from './registry.ts'
export type * from './removal/define.ts'
export { deleteWakes } from './removal/kernel-holdings.ts'
export { consume, newRow, recount, release, requireWritable, stamp } from './rows.ts'
export { type Scanner, ScannerError, type ScannerReason, type ScanResult } from './scanning/scanner.ts'
export { equalSecrets, hashToken, randomToken, type SecretBox } from './secrets.ts'
export {
  defineSetting,
  type Setting,
  type SettingChange,
  type SettingLevel,
  type SettingMoment,
  type SettingSpec,
  type SettingsKeeper,
  type StoredSettings,
  settingIn,
} from './settings/define.ts'
export { importableSettings } from './settings/imported.ts'
export { SettingsPatch } from './settings/schemas.ts'
export { applySettings, changeOf, presentSettings, type SettingsPut } from './settings/values.ts'
export type { SignalListener, Signals } from './signals.ts'
export { copyBetween } from './storage/copy.ts'
export type { Movable, Move, StoredKind } from './storage/moving.ts'
export { openStored } from './storage/open-stored.ts'
export {
  type Backend,
  type ByteRange,
  type DirectRequest,
  type DirectUpload,
  FileMissing,
  type FileStorage,
  InvalidFileKey,
  StorageDamaged,
  StorageFailed,
  StorageFull,
  type Storages,
  StorageUnknown,
  type StoredFile,
  type Written,
} from './storage/storage.ts'
export { answerStored, onceRecorded, type SentPart, WantedPart } from './storage/stored-answer.ts'
export { isSame, measure } from './storage/verified.ts'
export * from './support/define.ts'
export { SupportSections } from './support/sections.ts'
export { errorCode } from './system-errors.ts'
export { colorOr, contrast, edgeOf, readableOn, VISIBLE } from './text/colors.ts'
export { csvLine } from './text/csv.ts'
export { normalizeDomain, normalizeEmail } from './text/email.ts'
export { escapeHtml } from './text/html.ts'
export { greatest, least } from './text/least.ts'
export { showsSomething, tidyLine, withoutInvisible } from './text/names.ts'
export { canonicalLocale, canonicalTimeZone } from './text/places.ts'
export { createWorkQueue, type WorkQueue, type WorkQueueOptions } from './work-queue.ts'
