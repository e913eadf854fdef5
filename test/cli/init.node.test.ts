import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { describe, test } from '#test'
import { edgemint } from '../support/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const own = JSON.parse(readFileSync('package.json', 'utf8'))
const FILES = ['.dev.vars', '.gitignore', 'README.md', 'package.json', 'src', 'wrangler.toml']
const read = (directory: string, file: string) => readFileSync(join(directory, file), 'utf8')

/** Returns the lines of a configuration that are neither comments nor empty, except for the name and the entry. */
const linesOf = (toml: string): readonly string[] =>
  toml.split('\n').filter((line) => line !== '' && !/^(#|name = |main = )/.test(line))

describe('edgemint init', () => {
  test('writes a Worker project with the configuration of this server, and prints the next steps', async () => {
    const directory = join(folder, 'new', 'tokens')
    const { code, stdout, stderr } = await edgemint(['init', directory])
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout.includes(`\nNext:\n  cd ${directory}\n  npm install\n`), stdout)
    assert.equal(stdout.includes('edgemint is not on npm yet'), own.private === true)
    assert.deepEqual(readdirSync(directory).sort(), FILES)
    const { dependencies, devDependencies, scripts } = JSON.parse(read(directory, 'package.json'))
    assert.deepEqual(dependencies, { edgemint: `^${own.version}` })
    assert.deepEqual(devDependencies, { wrangler: `^${own.devDependencies.wrangler}` })
    assert.deepEqual(Object.keys(scripts), ['dev', 'deploy'])
    assert.match(read(directory, 'src/index.js'), /^export \{ default, Ledger \} from 'edgemint\/worker'$/m)
    assert.match(read(directory, '.dev.vars'), /^DEV=true$/m)
    for (const secret of ['signing-keys.json', 'operator-token', '.env*'])
      assert.ok(read(directory, '.gitignore').includes(secret))
    const written = new Set(linesOf(read(directory, 'wrangler.toml')))
    for (const line of linesOf(readFileSync('wrangler.toml', 'utf8')).filter(
      (each) => !/^upload_source_maps/.test(each),
    ))
      assert.ok(written.has(line), line)
  })

  test('--from names the tarball relative to the new directory, --json prints the files', async () => {
    const tarball = join(folder, 'edgemint-0.1.0.tgz')
    writeFileSync(tarball, '')
    const directory = join(folder, 'a', 'b')
    const { code, stdout } = await edgemint(['init', directory, '--from', relative('.', tarball), '--json'])
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout).files.length, 6)
    const { dependencies } = JSON.parse(read(directory, 'package.json'))
    assert.deepEqual(dependencies, { edgemint: 'file:../../edgemint-0.1.0.tgz' })
  })

  test('accepts a directory that contains .git only', async () => {
    const directory = join(folder, 'repository')
    mkdirSync(join(directory, '.git'), { recursive: true })
    assert.equal((await edgemint(['init', directory])).code, 0)
    assert.deepEqual(readdirSync(directory).sort(), ['.dev.vars', '.git', ...FILES.slice(1)])
  })

  test('refuses, with exit code 2, a directory with files, a file and a missing tarball, and writes nothing', async () => {
    const full = join(folder, 'full')
    mkdirSync(full)
    writeFileSync(join(full, 'precious'), 'kept')
    for (const [words, message] of [
      [[full], /full is not empty, it contains precious/],
      [[join(full, 'precious')], /ENOTDIR/],
      [[join(folder, 'none'), '--from', join(folder, 'missing.tgz')], /missing\.tgz: there is no such file/],
    ] as const) {
      const { code, stdout, stderr } = await edgemint(['init', ...words])
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, message)
    }
    assert.deepEqual([readdirSync(full), read(full, 'precious')], [['precious'], 'kept'])
    assert.ok(!readdirSync(folder).includes('none'))
  })

  test('refuses an empty directory name, which an unset variable of a shell leaves, and writes nothing', async () => {
    const { code, stdout, stderr } = await edgemint(['init', ''])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /argument 'directory'.* It must not be empty\./)
  })

  test('prints a command that a shell enters the directory with, whatever its name is', async () => {
    for (const name of ['$(touch PWNED);x', '-x', '~', 'it\'s a `b` \\ "c"', '*']) {
      const cwd = mkdtempSync(join(folder, 'shell-'))
      const { status, stdout } = spawnSync('node', [resolve('src/cli/edgemint.ts'), 'init', '--', name], {
        cwd,
        encoding: 'utf8',
      })
      assert.equal(status, 0)
      const [, command = ''] = /^ {2}(cd .*)$/m.exec(stdout) ?? []
      const entered = spawnSync('sh', ['-c', `${command} && pwd`], { cwd, encoding: 'utf8' })
      assert.equal(entered.stdout, `${join(realpathSync(cwd), name)}\n`, command)
      assert.deepEqual(readdirSync(cwd), [name])
    }
  })
})
