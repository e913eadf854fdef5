/** The process that started this one: npm and npx end on SIGTERM without ending the command that they started. */

import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setInterval } from 'node:timers'
import type { Environment } from './runtime.ts'

/** Read when this module is evaluated, because the parent may end while the server starts. */
const PARENT: number = process.ppid

const POLL_MILLISECONDS = 250

/**
 * Calls back when the npm that started this process has ended; at once if it ended during the start. npm and npx run a command in
 * a shell and send SIGTERM to the shell only, which ends without the command. The change of the parent is the only sign that the
 * command has to stop. Does nothing where npm did not start the process: it may outlive its shell.
 */
export function whenNpmEnds(environment: Environment, callback: () => void): void {
  if (environment['npm_lifecycle_event'] === undefined) return
  if (PARENT === 1 && !isOfOurGroup(PARENT)) {
    callback()
    return
  }
  const poll = setInterval(() => {
    if (process.ppid === PARENT) return
    clearInterval(poll)
    callback()
  }, POLL_MILLISECONDS).unref()
}

/**
 * Returns whether a process belongs to the process group of this one. npm starts no group for its commands, so process 1 either is
 * the npm of a container and belongs to it, or it has adopted this process.
 */
function isOfOurGroup(pid: number): boolean {
  try {
    return groupOf(pid) === groupOf(process.pid)
  } catch {
    // Deno may not read these files without all permissions. Other systems have none, and no npm as process 1.
    return process.platform === 'linux'
  }
}

/** @see {@link https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html proc_pid_stat(5)} */
function groupOf(pid: number): string | undefined {
  // pid (name) state ppid pgrp …, and the name may contain anything.
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2]
}
