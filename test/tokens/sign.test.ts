import assert from 'node:assert/strict'
import { compactVerify, decodeProtectedHeader } from 'jose'
import { describe, test } from '#test'
import { ALGORITHMS } from '../../src/keys/algorithms.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { toSigningKey } from '../../src/keys/signing_key.ts'
import { signJwt } from '../../src/tokens/sign.ts'

describe('signJwt', () => {
  for (const alg of ALGORITHMS.keys()) {
    test(`makes a JWS of ${alg} that jose verifies`, async () => {
      const key = await toSigningKey(await generateKey(alg))
      const claims = { sub: 'é\u{1f511}', list: [1, null], '': '' }
      const jws = await signJwt(claims, 'x+jwt', key)
      assert.match(jws, /^[\w-]+\.[\w-]+\.[\w-]+$/)
      const { payload, protectedHeader } = await compactVerify(jws, key.publicKey, { algorithms: [alg] })
      assert.deepEqual(protectedHeader, { alg, kid: key.kid, typ: 'x+jwt' })
      assert.deepEqual(JSON.parse(new TextDecoder().decode(payload)), claims)
    })
  }

  test('each key and each typ has its own header, also when it is reused', async () => {
    const keys = await Promise.all(['ES256', 'ES256', 'EdDSA'].map(async (alg) => toSigningKey(await generateKey(alg))))
    for (let round = 0; round < 2; round++) {
      for (const key of keys) {
        for (const typ of ['at+jwt', 'JWT', 'at+jwt']) {
          const jws = await signJwt({}, typ, key)
          assert.deepEqual(decodeProtectedHeader(jws), { alg: key.alg, kid: key.kid, typ })
          await compactVerify(jws, key.publicKey)
        }
      }
    }
  })
})
