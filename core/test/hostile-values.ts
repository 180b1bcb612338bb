// Input that is meant to do harm, for every test that sends some.

/** Bytes. */
export const MiB = 1024 * 1024
/** A well-formed id of nothing. */
export const SOME_ID = '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'

/** Bodies that no route may accept, by what is wrong with them. */
export const BROKEN_BODIES: Record<string, string | Buffer> = {
  'an open brace': '{',
  'half a string': '{"name":"x',
  'a comma too many': '{"name":"x",}',
  'two values': '{"name":"x"}{}',
  'a bare word': 'nul',
  'single quotes': "{'name':'x'}",
  'a raw NUL': '{"name":"a\0b"}',
  'NULs alone': '\0\0\0\0',
  'a byte order mark': '\ufeff{"name":',
  'bytes that are no UTF-8': Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  'raw half of a surrogate pair': Buffer.concat([
    Buffer.from('{"name":"'),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from('"}'),
  ]),
  'an escaped NUL': '{"name":"a\\u0000b"}',
  'an escaped NUL in a name': '{"na\\u0000me":"x"}',
  'half of a surrogate pair': '{"name":"\\ud800"}',
  'the other half': '{"name":"\\udfff x"}',
  __proto__: '{"__proto__":{"is_super_admin":true}}',
  'an escaped __proto__': '{"\\u005f_proto__":{"is_super_admin":true}}',
  'constructor.prototype': '{"constructor":{"prototype":{"is_super_admin":true}}}',
  'an unknown field': '{"surely_unknown":1}',
  null: 'null',
  'a number': '1e999',
  'a string': '"x"',
  'a list': '[]',
  '2,000 lists in each other': '['.repeat(2_000) + ']'.repeat(2_000),
  '2,000 objects in each other': `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
  nothing: '',
}
/** Bodies beyond the limit of every route. */
export const LARGE_BODIES: Record<string, string> = {
  'one byte more than allowed': `"${'x'.repeat(MiB - 1)}"`,
  '10 MB': JSON.stringify({ name: 'x'.repeat(10 * MiB) }),
  '10 MB of brackets': '['.repeat(10 * MiB),
}
/** Content types that are not JSON. */
export const OTHER_TYPES = [
  'text/plain',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'x',
  'application/jsonp',
  ' ',
  '\u00ff',
  'a/b;'.repeat(500),
]
/** What stands in a path where an id belongs. */
export const NO_IDS = [
  'x',
  '0',
  '-1',
  'null',
  'undefined',
  '%00',
  '%ED%A0%80',
  '%2e%2e%2f',
  "'%20or%201=1--",
  '*',
  'x'.repeat(600),
  `${SOME_ID}0`,
  `${SOME_ID}%00`,
  `{${SOME_ID}}`,
  '__proto__',
]
/** Queries that no route may accept. */
export const QUERIES = [
  'limit=0',
  'limit=101',
  'limit=1.5',
  'limit=1e1',
  'limit=',
  'limit=1&limit=2',
  'cursor=',
  'cursor=%00',
  'cursor=x',
  'cursor=e30',
  'limit[]=1',
  '__proto__[x]=1',
  'constructor=x',
  '%00=1',
  'a=%ED%A0%80',
  'a=%zz',
  '%',
  `a=${'x'.repeat(5000)}`,
  'surely_unknown=1',
]

/** Headers that look like a credential and are none, some of them made from a good one. */
export function wrongCredentials(token: string): Record<string, string>[] {
  const authorizations = [
    '',
    ' ',
    'Bearer',
    'Bearer ',
    `Bearer  ${'x'.repeat(5000)}`,
    `Basic ${token}`,
    token,
    `Bearer ${token} ${token}`,
    `Bearer ${token},Bearer ${token}`,
    'Bearer \u00ff',
    'Bearer {}',
    'Bearer null',
    'Bearer ..',
    'Bearer a.b.c',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
  ]
  return [
    ...authorizations.map((authorization) => ({ authorization })),
    { 'x-api-key': 'x y' },
    { 'x-api-key': '' },
    { 'x-api-key': 'x'.repeat(600) },
  ]
}
