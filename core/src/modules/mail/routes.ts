import { Answer, Closed, type Ctx, defineRoute, hasMailbox, notFound, Search, Type } from '#kernel'
import { getMail, listMailbox } from './mailbox.ts'
import { MAILBOX_CSP, renderMailboxPage, renderMailPage } from './mailbox-pages.ts'

const PATH = '/dev/mailbox'

const page = {
  method: 'GET',
  root: true,
  reach: 'machine',
  hidden: true,
  access: 'public',
  transaction: 'manual',
  produces: 'text/html; charset=utf-8',
  response: { 200: Type.String() },
} as const // the words themselves are what a route is declared with

const showMailbox = defineRoute({
  ...page,
  path: PATH,
  summary: 'The development mailbox: mails that were kept instead of sent',
  query: Closed({ to: Type.Optional(Search(320, 'Only mails to addresses that contain this')) }),
  handler: async (ctx, { query: { to } }) =>
    html(renderMailboxPage(await listMailbox(openMailbox(ctx)), { basePath: PATH, to })),
})

const showMail = defineRoute({
  ...page,
  path: `${PATH}/:id`,
  summary: 'One mail of the development mailbox',
  params: Closed({ id: Type.String() }),
  handler: async (ctx, { params }) =>
    html(renderMailPage(await getMail(openMailbox(ctx), params.id), { basePath: PATH })),
})

/**
 * The folder of the mailbox. Its links give access to accounts, so outside of development and tests the page does not
 * exist.
 */
function openMailbox({ config }: Ctx): string {
  if (!hasMailbox(config)) throw notFound()
  return config.dataDir
}

function html(text: string): Answer<string> {
  return new Answer(200, text, { 'content-security-policy': MAILBOX_CSP, 'cache-control': 'no-store' })
}

export const mailboxRoutes = [showMailbox, showMail]
