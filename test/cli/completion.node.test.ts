import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from '#test'
import { powershellScript } from '../../src/cli/completion_powershell.ts'
import { edgemint } from '../support/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const script = join(folder, 'edgemint.bash')
writeFileSync(script, (await edgemint(['complete', 'bash'])).stdout)
for (const file of ['clients.json', 'my file.json', 'st*r', 'stair']) writeFileSync(join(folder, file), '[]')

/** Runs bash without bash-completion. Completes the last word as bash does: by the function that is registered for the first. */
function complete(words: readonly string[], before = ''): readonly string[] {
  const program = `${before}
    source ${script}
    [[ $(complete -p "$1") =~ -F\\ ([^ ]+) ]]
    COMP_WORDS=("$@")
    COMP_CWORD=$(( $# - 1 ))
    "\${BASH_REMATCH[1]}" "$1" "\${@: -1}" "\${@: -2:1}"
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '--noprofile', '-c', program, 'bash', ...words], {
    encoding: 'utf8',
    cwd: folder,
  })
  assert.equal(stderr.replace(/^.*compopt: not currently executing completion function\n/gm, ''), '')
  return stdout.split('\n').filter(Boolean)
}

const CASES: readonly (readonly [line: string, expected: readonly string[]])[] = [
  ['edgemint cl', ['clients']],
  ['npx edgemint cl', ['clients']],
  ['bunx edgemint cl', ['clients']],
  ['npx edgemint@latest cl', ['clients']],
  ['npx --yes edgemint clients ro', ['rotate-secret']],
  ['edgemint clients rotate-secret --k', ['--keep-old']],
  ['edgemint clients import --from ', ['hydra', 'fosite', 'edgemint']],
  ['edgemint clients import --from = hy', ['hydra']],
  ['edgemint clients import cl', ['clients.json']],
  ['edgemint clients create --jwks cl', ['clients.json']],
  ['edgemint clients create --scope ', []],
  ['edgemint clients create --name list --dpop', ['--dpop-bound']],
  ['edgemint complete ', ['bash', 'zsh', 'fish', 'powershell']],
  ['edgemint --url clients cr', []],
  ['edgemint --url clients cl', ['clients']],
  ['edgemint --url = clients clients cr', ['create']],
  ['edgemint clients import my', ['my file.json']],
  ['edgemint clients import my\\ f', ['my file.json']],
  ['edgemint clients create --jwks st*', ['st*r']],
  ['npx other cl', []],
]

describe('edgemint complete bash', () => {
  for (const [line, expected] of CASES) {
    test(`completes \`${line}\` with ${expected.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(complete(line.split(/(?<!\\) /)), expected)
    })
  }

  test('keeps the completion that npx had for other programs, also when it is sourced twice', () => {
    const before = `_npx_before() { COMPREPLY=(as-before); }
      complete -o nospace -F _npx_before npx
      source ${script}`
    assert.deepEqual(complete(['npx', 'other', ''], before), ['as-before'])
    assert.deepEqual(complete(['npx', 'edgemint', 'cl'], before), ['clients'])
  })
})

/** Returns the texts of a PowerShell script in single quotes, and what is left without them and without comments. */
function unquote(powershell: string): { readonly texts: readonly string[]; readonly rest: string } {
  const texts: string[] = []
  const rest = powershell.replace(/'((?:[^']|'')*)'|^ *#.*$/gm, (_match, text?: string) => {
    if (text !== undefined) texts.push(text.replaceAll("''", "'"))
    return ''
  })
  return { texts, rest }
}

describe('edgemint complete powershell', () => {
  const described = (name: string, description: string) => ({ name, description })
  const serve = {
    words: 'serve',
    commands: [],
    options: [{ ...described('--key', "the server's \u2018own\u2019 $key; `a`"), value: 'file' as const }],
    takesFile: false,
  }
  const root = {
    words: '',
    commands: [described('serve', 'Runs.'), described('keys', '')],
    options: [],
    takesFile: false,
  }

  test('quotes what PowerShell would read as the end of a text, and expands nothing', () => {
    const script = powershellScript([root, serve])
    assert.ok(script.includes("'--key' = 'the server''s \u2018\u2018own\u2019\u2019 $key; `a`'"))
    assert.match(script, /^ +'serve' = \[ordered\]@\{ '--key' = /m)
    assert.match(script, /^ +\$files = @\('serve --key'\)$/m)
  })

  test('describes each candidate, because PowerShell refuses an empty description', () => {
    assert.ok(powershellScript([root, serve]).includes("'' = [ordered]@{ 'serve' = 'Runs.'; 'keys' = 'keys' }"))
  })

  test('is balanced, and of ASCII only, which no code page of a console changes', async () => {
    const { stdout } = await edgemint(['complete', 'powershell'])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
    assert.match(stdout, /^[\x00-\x7f]*$/)
    const { texts, rest } = unquote(stdout)
    assert.ok(texts.includes('clients import --from') && texts.includes('hydra'))
    for (const [open, close] of ['()', '{}', '[]'] as const)
      assert.equal(rest.split(open as string).length, rest.split(close as string).length, open)
    assert.doesNotMatch(rest.replaceAll(/"[^"]*"/g, ''), /["']/)
  })

  test('offers the files, the choices and the options of a command', async () => {
    const { stdout } = await edgemint(['complete', 'powershell'])
    assert.match(stdout, /^ +'clients import --from' = \[ordered\]@\{ 'hydra' = 'hydra'; 'fosite' = 'fosite'; /m)
    assert.match(stdout, /^ +'clients create --scope' = \[ordered\]@\{ {2}\}$/m)
    assert.match(stdout, /\$files = @\(.*'clients create --jwks'.*'clients import'/)
  })
})

describe('edgemint complete', () => {
  for (const shell of ['zsh', 'fish', 'powershell']) {
    test(`prints all commands for ${shell}`, async () => {
      const { code, stdout } = await edgemint(['complete', shell])
      assert.equal(code, 0)
      for (const words of ['clients import', 'resources update', 'keys rotate'])
        assert.ok(stdout.includes(`'${words}'`))
    })
  }

  test('refuses an unknown shell', async () => {
    const { code, stderr } = await edgemint(['complete', 'cmd'])
    assert.equal(code, 2)
    assert.match(stderr, /Allowed choices are bash, zsh, fish, powershell/)
  })
})
