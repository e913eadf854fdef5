import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { folder, operate, TOKEN } from '../support/operated_server.ts'
import { startServer } from '../support/process.ts'
import { settingsOf } from '../support/rotating.ts'

const server = await startServer((port) => ({
  command: 'node src/index.ts',
  environment: {
    ...settingsOf(86_400),
    REGISTRATION_TOKEN: TOKEN,
    PORT: `${port}`,
    STORE_URL: `sqlite:${join(folder, `${port}.db`)}`,
  },
}))
after(() => server.stop())

interface Row {
  readonly kid: string
  readonly state: string
}

async function keys(): Promise<readonly Row[]> {
  const { stdout } = await operate(server, 'keys', 'list', '--json')
  return (JSON.parse(stdout) as { keys: Row[] }).keys
}

describe('edgemint keys, of a running server', () => {
  test('lists, rotates once verifiers know the key, and revokes', async () => {
    const table = await operate(server, 'keys', 'list')
    assert.equal(table.code, 0)
    assert.match(table.stdout, /signing .*stored/)
    assert.match(table.stderr, /issuer http:\/\/localhost:8080/)

    const early = await operate(server, 'keys', 'rotate', '--now', '--yes')
    assert.notEqual(early.code, 0)
    assert.match(early.stderr, /force/)
    const forced = await operate(server, 'keys', 'rotate', '--now', '--force', '--yes')
    assert.equal(forced.code, 0, forced.stderr)
    const [retired] = await keys()
    assert.equal(retired?.state, 'retired')

    const revoked = await operate(server, 'keys', 'revoke', retired?.kid ?? '', '--yes')
    assert.equal(revoked.stdout.trim(), `revoked ${retired?.kid}`)
    assert.ok((await keys()).every(({ kid }) => kid !== retired?.kid))
    const again = await operate(server, 'keys', 'revoke', retired?.kid ?? '', '--yes')
    assert.match(again.stderr, /has no key/)
  })

  test('encrypts the keys again', async () => {
    const { stdout, stderr } = await operate(server, 'keys', 'rewrap')
    assert.equal(stdout.trim(), 'rewrapped 0, undecryptable 0')
    assert.match(stderr, /localhost:8080/)
  })

  test('asks which keys are meant', async () => {
    for (const words of [['rotate'], ['rotate', '--now', '--file', 'x.json']]) {
      const { code, stderr } = await operate(server, 'keys', ...words)
      assert.notEqual(code, 0)
      assert.match(stderr, /--now/)
    }
  })
})
