import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, test } from '#test'
import { EXAMPLES } from '../../src/cli/examples.ts'
import { makeProgram } from '../../src/cli/program.ts'
import { edgemint } from '../support/cli.ts'

function wordsOf(command: Command): readonly string[] {
  return command.parent === null ? [] : [...wordsOf(command.parent), command.name()]
}

function commandsOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(commandsOf)]
}

/** Returns the words of a shell command line, up to a pipe. */
function split(line: string): readonly string[] {
  const [command = ''] = line.split(' | ')
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

/** Parses words as the command line does. Returns the command that would run, without running it. */
function parse(words: readonly string[]): string | undefined {
  const program = makeProgram(true)
  let chosen: string | undefined
  for (const command of commandsOf(program))
    if (command.commands.length === 0)
      command.action(() => {
        chosen = wordsOf(command).join(' ')
      })
  program.parse(words, { from: 'user' })
  return chosen
}

describe('--help', () => {
  const names = commandsOf(makeProgram(false)).map((command) => wordsOf(command).join(' '))

  test('has examples for every command and for nothing else', () => {
    assert.ok(names.length > 20)
    assert.deepEqual(Object.keys(EXAMPLES).sort(), [...names].sort())
    for (const [name, examples] of Object.entries(EXAMPLES)) assert.ok(examples.length > 0, name)
  })

  for (const [name, examples] of Object.entries(EXAMPLES)) {
    for (const example of examples.filter((line) => line.startsWith('npx edgemint') && !line.endsWith('--help'))) {
      test(`${example} is parsed as \`${name}\``, () => {
        const [npx, program, ...words] = split(example)
        assert.deepEqual([npx, program], ['npx', 'edgemint'])
        assert.ok(parse(words)?.startsWith(name))
      })
    }
  }

  test('prints the examples, with exit code 0', async () => {
    for (const name of ['', 'clients', 'clients import', 'resources update', 'keys rotate']) {
      const { code, stdout, stderr } = await edgemint([...name.split(' ').filter(Boolean), '--help'])
      assert.deepEqual([code, stderr], [0, ''])
      for (const example of EXAMPLES[name] ?? []) assert.ok(stdout.includes(`\n  ${example}\n`), name)
      if (name === '') assert.match(stdout, /Exit codes:/)
    }
  })

  test('prints the help of the command for an alias, and fails for an unknown command', async () => {
    const [get, show] = [await edgemint(['clients', 'get', '--help']), await edgemint(['clients', 'show', '--help'])]
    assert.deepEqual([get.code, get.stdout], [0, show.stdout])
    const unknown = await edgemint(['clients', 'frobnicate', '--help'])
    assert.deepEqual([unknown.code, unknown.stdout], [2, ''])
    assert.match(unknown.stderr, /unknown command 'frobnicate'/)
  })
})

describe('edgemint', () => {
  test('--version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.deepEqual(await edgemint(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('reports an error that it does not know in one line, and as JSON, with exit code 5', async () => {
    const NODE_OPTIONS = '--import=data:text/javascript,URL.canParse=()=>{throw(new(TypeError)(`odd\\nline`))}'
    const environment = { NODE_OPTIONS, EDGEMINT_TOKEN: 'token' }
    const text = await edgemint(['clients', 'list'], environment)
    assert.deepEqual(text, { code: 5, stdout: '', stderr: 'edgemint: unexpected TypeError: odd\ufffdline\n' })
    const json = await edgemint(['clients', 'list', '--json'], environment)
    assert.deepEqual([json.code, json.stdout], [5, ''])
    const message = 'unexpected TypeError: odd\nline'
    assert.deepEqual(JSON.parse(json.stderr), { error: 'internal', message, exit_code: 5 })
  })
})
