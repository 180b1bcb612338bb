/** What the mail of the bench, `new_owner`, is told. */
export const DATA = {
  byName: 'Bob',
  tenantName: 'Acme',
  email: 'eve@example.com',
  isInvited: true,
  at: '2026-01-31T12:00:00.000Z',
}
