import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readCredentials } from '../../src/kms/credentials.ts'
import { readKeyUrl } from '../../src/kms/key_url.ts'

const vault = readKeyUrl('vault://vault.example/transit/mint').key
const proxy = readKeyUrl('vault+http://127.0.0.1:8200/transit/mint').key
const aws = readKeyUrl('awskms://eu-central-1/key').key
const given = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }

describe('readCredentials', () => {
  test('reads those that the keys need, and ignores what is meant for other programs', () => {
    assert.deepEqual(readCredentials([vault], { VAULT_TOKEN: 'hvs.x', AWS_SESSION_TOKEN: 'two words' }), {
      VAULT_TOKEN: 'hvs.x',
    })
    assert.deepEqual(readCredentials([aws], { ...given, VAULT_TOKEN: 'two words' }), given)
    assert.deepEqual(readCredentials([proxy], { VAULT_NAMESPACE: 'team/a' }), { VAULT_NAMESPACE: 'team/a' })
  })

  test('names each one that is missing', () => {
    assert.deepEqual(readCredentials([vault, vault], { VAULT_TOKEN: '' }), [
      { setting: 'VAULT_TOKEN', problem: 'is missing' },
    ])
    assert.deepEqual(readCredentials([proxy, aws], {}), [
      { setting: 'AWS_ACCESS_KEY_ID', problem: 'is missing' },
      { setting: 'AWS_SECRET_ACCESS_KEY', problem: 'is missing' },
    ])
  })

  for (const VAULT_TOKEN of ['hvs.x\n', 'hvs x', 'hvs.ü', 'x'.repeat(4097), 7]) {
    test(`refuses the token ${String(VAULT_TOKEN).slice(0, 9)}, which no header can hold, without quoting it`, () => {
      const problems = readCredentials([vault], { VAULT_TOKEN })
      assert.ok(Array.isArray(problems) && problems[0]?.setting === 'VAULT_TOKEN')
      assert.doesNotMatch(JSON.stringify(problems), /hvs/)
    })
  }

  for (const endpoint of [
    'http://kms.example',
    'https://kms.example/path',
    'https://user@kms.example',
    'ftp://x',
    'x',
  ]) {
    test(`refuses the endpoint ${endpoint}`, () => {
      const problems = readCredentials([aws], { ...given, AWS_ENDPOINT_URL_KMS: endpoint })
      assert.ok(Array.isArray(problems) && problems[0]?.setting === 'AWS_ENDPOINT_URL_KMS')
    })
  }
})
