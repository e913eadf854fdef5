/** The programs of others that make genuine tokens, built from their own sources by Go and kept for the next run. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'

const SPIRE = 'github.com/spiffe/spire@v1.13.0'

const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'edgemint-federation')

/** Returns the path of the program that makes tokens with the code of Kubernetes. Builds it in about a minute. */
export function kubetoken(): string {
  // Its source is that of this checkout, so it is built again; the packages of Kubernetes are in the cache of Go.
  return build('test/federation/kubernetes', '.', 'kubetoken')
}

/** Returns the path of a program of SPIRE. Builds it in some minutes, if it is not there. */
export function spire(name: 'spire-server' | 'spire-agent'): string {
  const program = join(folder, SPIRE.replaceAll('/', '-'), name)
  if (existsSync(program)) return program
  const { Dir } = JSON.parse(go(['mod', 'download', '-json', SPIRE]))
  return build(Dir, `./cmd/${name}`, join(SPIRE.replaceAll('/', '-'), name))
}

function build(module: string, source: string, name: string): string {
  const program = join(folder, name)
  mkdirSync(resolve(program, '..'), { recursive: true })
  go(['build', '-C', module, '-ldflags', '-s -w', '-o', program, source])
  return program
}

function go(words: readonly string[]): string {
  return execFileSync('go', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
