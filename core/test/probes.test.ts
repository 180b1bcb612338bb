import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import pg from 'pg'
import { defineModule } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

describe('probes and documents', () => {
  let test: TestCore
  let isWell = true
  const moody = defineModule({
    name: 'moody',
    checks: [
      {
        name: 'mood',
        ready: true,
        check: async () => {
          if (!isWell) throw new Error('a bad mood at 10.0.0.1')
          return 'in a good mood'
        },
      },
      { name: 'taste', ready: false, check: () => Promise.reject(new Error('for the doctor alone')) },
    ],
  })
  before(async () => {
    test = await createTestCore({ modules: [toy, moody] })
  })
  after(() => test.close())

  const superuser = async (sql: string) => {
    const client = new pg.Client({ connectionString: test.database.superuserUrl })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }

  it('say that all is well', async () => {
    assert.deepEqual((await test.request('GET', '/health')).body, { status: 'ok' })
    const { body } = await test.request('GET', '/health/db')
    assert.equal(body.migrations, 'current')
    assert.ok(body.milliseconds > 0)
    const ready = await test.request('GET', '/health/ready')
    assert.deepEqual(
      ready.body.checks.map(({ name }: { name: string }) => name),
      ['database', 'mood'],
    )
  })

  it('name what is not ready, and keep why to the log', async () => {
    isWell = false
    const ready = await test.request('GET', '/health/ready')
    isWell = true
    assert.equal(ready.status, 503)
    assert.equal(ready.body.code, 'unavailable')
    assert.deepEqual(ready.body.checks.at(-1), { name: 'mood', status: 'failed' })
    assert.ok(!ready.text.includes('10.0.0.1'))
    assert.ok(test.logs.some((line) => line.includes('10.0.0.1')))
  })

  it('name migrations that the database lacks', async () => {
    await superuser("update tenantry.migrations set module = 'toy-away' where module = 'toy'")
    const { status, body } = await test.request('GET', '/health/db')
    const ready = await test.request('GET', '/health/ready')
    await superuser("update tenantry.migrations set module = 'toy' where module = 'toy-away'")
    assert.equal(status, 503)
    assert.match(body.detail, /toy\/0001\.sql/)
    assert.equal(ready.status, 503)
    assert.equal((await test.request('GET', '/health/db')).status, 200)
  })

  it('say 503 while the database refuses connections, and are alive all the same', async () => {
    const name = pg.escapeIdentifier(test.database.name)
    const admin = new pg.Client({ connectionString: test.database.superuserUrl.replace(/\/[^/]*$/, '/postgres') })
    await admin.connect()
    try {
      await admin.query(`alter database ${name} with allow_connections false`)
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
        test.database.name,
      ])
      const { status, text } = await test.request('GET', '/health/db')
      assert.equal(status, 503)
      assert.doesNotMatch(text, /127\.0\.0\.1|tenantry_test/)
      assert.equal((await test.request('GET', '/health/ready')).status, 503)
      assert.equal((await test.request('GET', '/health')).status, 200)
      const metrics = await test.request('GET', '/metrics')
      assert.equal(metrics.status, 200)
      assert.match(metrics.text, /tenantry_db_connections/)
    } finally {
      await admin.query(`alter database ${name} with allow_connections true`)
      await admin.end()
    }
    assert.equal((await test.request('GET', '/health/db')).status, 200)
  })

  it('count the worker in once it was started', async () => {
    await test.core.startWorker()
    const { body } = await test.request('GET', '/health/ready')
    assert.ok(
      body.checks.some(({ name, status }: { name: string; status: string }) => name === 'worker' && status === 'ok'),
    )
  })

  it('measure requests and jobs without naming a tenant', async () => {
    await test.request('GET', '/api/v1/toys/x', { token: builtinAuthForTests.token('m') })
    test.core.jobsDone?.('toy.notice', 'done')
    const { text, headers } = await test.request('GET', '/metrics')
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    assert.match(
      text,
      /tenantry_http_request_duration_seconds_count\{route="\/api\/v1\/toys\/:id",method="GET",status="404"\} 1/,
    )
    assert.match(text, /tenantry_jobs_total\{task="toy\.notice",result="done"\} 1/)
    assert.match(text, /^tenantry_jobs_waiting 0$/m)
    assert.match(text, /tenantry_process_cpu_seconds_total/)
    assert.doesNotMatch(text, /tenant_id|tenant=/)
    for (const line of text.split('\n')) assert.match(line, /^(#.*|tenantry_.*|)$/)
  })

  it('serve the document as JSON and YAML', async () => {
    const json = await test.request('GET', '/api/openapi.json')
    const yaml = await test.request('GET', '/api/openapi.yaml')
    const { parse } = await import('yaml')
    assert.deepEqual(parse(yaml.text), json.body)
    assert.ok(json.body.paths['/health/ready'] && json.body.paths['/api/v1/toys'])
    assert.equal(json.body.paths['/api/docs'], undefined)
  })

  it('serve the document and its page packed, from memory, and not to whoever has them', async () => {
    for (const path of ['/api/openapi.json', '/api/openapi.yaml', '/api/docs', '/api/docs/swagger-ui-bundle.js']) {
      const inject = (method: 'GET' | 'HEAD', headers: Record<string, string>) =>
        test.app.inject({ method, url: path, headers })
      const plain = await inject('GET', {})
      const { etag = '', vary } = plain.headers
      assert.equal(vary, 'accept-encoding', path)
      assert.equal(plain.headers['content-encoding'], undefined)
      const unpack = { br: brotliDecompressSync, gzip: gunzipSync }
      for (const encoding of ['br', 'gzip'] as const) {
        const packed = await inject('GET', { 'accept-encoding': encoding })
        assert.equal(packed.headers['content-encoding'], encoding)
        assert.equal(packed.headers['content-type'], plain.headers['content-type'])
        assert.deepEqual(unpack[encoding](packed.rawPayload), plain.rawPayload)
        const head = await inject('HEAD', { 'accept-encoding': encoding })
        assert.equal(head.rawPayload.length, 0)
        assert.equal(head.headers['content-length'], String(packed.rawPayload.length))
        assert.equal(head.headers.etag, etag)
      }
      for (const method of ['GET', 'HEAD'] as const) {
        const known = await inject(method, { 'if-none-match': `"other", ${etag}`, 'accept-encoding': 'br' })
        assert.deepEqual([known.statusCode, known.rawPayload.length, known.headers.etag], [304, 0, etag])
        assert.equal(known.headers['content-type'], undefined)
        assert.equal(known.headers.vary, 'accept-encoding')
      }
      assert.equal((await inject('GET', { 'if-none-match': '"other"' })).statusCode, 200)
    }
  })

  it('serve a page for people that loads nothing from elsewhere and runs no script of its own', async () => {
    const page = await test.request('GET', '/api/docs')
    assert.match(String(page.headers['content-security-policy']), /script-src 'self';/)
    assert.doesNotMatch(page.text, /https?:|<script>/)
    const parts = [...page.text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, part]) => part)
    assert.equal(parts.length, 5)
    for (const part of parts) {
      const file = await test.request('GET', `/api/${part}`)
      assert.equal(file.status, 200)
      assert.match(String(file.headers['content-type']), /^text\/(css|javascript)/)
      assert.equal(file.headers['x-content-type-options'], 'nosniff')
    }
    for (const other of ['package.json', 'index.html', '..%2fpackage.json', '%2e%2e/x'])
      assert.equal((await test.request('GET', `/api/docs/${other}`)).status, 404)
  })
})
