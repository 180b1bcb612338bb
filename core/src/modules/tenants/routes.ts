import { Closed, defineRoute, permissionDenied, type Route } from '#kernel'
import { pictureErrors } from '../pictures/index.ts'
import { checkColors } from './colors.ts'
import { registrationClosed, slugTaken } from './errors.ts'
import { openTenant } from './found-tenant.ts'
import { addLogo, changeBranding, changeTenant, getTenant, removeLogo } from './operations.ts'
import { presentBranding, presentTenant } from './present.ts'
import { getSettings } from './queries.ts'
import {
  Branding,
  BrandingPatch,
  NewTenant,
  Tenant,
  TenantPatch,
  TenantSettings,
  TenantSettingsPatch,
} from './schema.ts'
import { changeSettings, presentTenantSettings } from './settings.ts'

export const tenantRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/tenants',
    summary: 'Found another tenant',
    description:
      'The caller becomes its owner. Without a slug, one is made from the name. One person founds TENANTS_PER_PERSON at most; where registration is closed, super admins alone found any.',
    access: 'self',
    transaction: 'manual',
    entersTenants: true,
    body: NewTenant,
    response: { 201: Tenant },
    errors: [slugTaken, permissionDenied, registrationClosed],
    handler: (ctx, { body }) => openTenant(ctx, body),
    location: () => '/api/v1/tenants/current',
  }),
  defineRoute({
    method: 'GET',
    path: '/tenants/current',
    summary: 'Get the current tenant',
    access: { permission: 'tenant.view' },
    response: { 200: Tenant },
    handler: async (ctx) => presentTenant(ctx, await getTenant(ctx.tx, ctx.tenantId)),
  }),
  defineRoute({
    method: 'PUT',
    path: '/tenants/current',
    summary: 'Rename the current tenant or its slug',
    access: { permission: 'tenant.update' },
    body: TenantPatch,
    response: { 200: Tenant },
    errors: [slugTaken],
    handler: (ctx, { body }) => changeTenant(ctx, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/tenants/current/settings',
    summary: "Get the tenant's settings",
    access: { permission: 'tenant_settings.view' },
    settings: 'tenant',
    response: { 200: TenantSettings },
    handler: async (ctx) => presentTenantSettings(ctx, await getSettings(ctx.tx, ctx.tenantId)),
  }),
  defineRoute({
    method: 'PUT',
    path: '/tenants/current/settings',
    summary: "Change the tenant's settings",
    description: '`invoice` is merged field by field, `extra` is replaced whole.',
    access: { permission: 'tenant_settings.update' },
    settings: 'tenant',
    body: TenantSettingsPatch,
    response: { 200: TenantSettings },
    handler: (ctx, { body }) => changeSettings(ctx, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/tenants/current/branding',
    summary: "Get the tenant's branding",
    access: { permission: 'tenant.view' },
    response: { 200: Branding },
    handler: async (ctx) => presentBranding(ctx, await getTenant(ctx.tx, ctx.tenantId)),
  }),
  defineRoute({
    method: 'PUT',
    path: '/tenants/current/branding',
    summary: "Change the tenant's branding",
    access: { permission: 'tenant.update' },
    body: BrandingPatch,
    check: checkColors,
    response: { 200: Branding },
    handler: (ctx, { body }) => changeBranding(ctx, body),
  }),
  defineRoute({
    method: 'POST',
    path: '/tenants/current/logo',
    name: 'setLogo',
    summary: 'Show a logo',
    description:
      'JPEG, PNG, WebP, GIF or AVIF in the part `file`, up to 10 MiB and 50 megapixels. It keeps its form and what is transparent in it, is never enlarged, and stands in mails from then on.',
    access: { permission: 'tenant.update' },
    transaction: 'manual',
    form: Closed({}),
    rateLimit: 'pictures',
    response: { 200: Branding },
    errors: pictureErrors,
    handler: (ctx, { form }) => addLogo(ctx, form),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/tenants/current/logo',
    name: 'deleteLogo',
    summary: 'Show no logo',
    access: { permission: 'tenant.update' },
    response: { 204: null },
    handler: (ctx) => removeLogo(ctx),
  }),
]
