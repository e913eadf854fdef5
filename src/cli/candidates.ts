/** What the completion of a shell offers, read from the commands themselves. */

import type { Command, Option } from 'commander'

/** What may follow the words of a command. */
export interface Candidates {
  /** The words after `edgemint`, separated by spaces. */
  readonly words: string
  /** Subcommands, or the choices of an argument. */
  readonly commands: readonly Described[]
  readonly options: readonly DescribedOption[]
  /** Whether an argument is the name of a file. */
  readonly takesFile: boolean
}

export interface Described {
  readonly name: string
  readonly description: string
}

interface DescribedOption extends Described {
  /** `file` completes names of files, a list its words. */
  readonly value: 'none' | 'any' | 'file' | readonly string[]
}

/** Returns the candidates of a command and all its subcommands. */
export function candidatesOf(command: Command, words: string): readonly Candidates[] {
  const help = command.createHelp()
  const visible = help.visibleCommands(command).filter((each) => each.name() !== 'help')
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
  const own = {
    words,
    commands: [
      ...visible.map((each) => ({ name: each.name(), description: sentence(help.subcommandDescription(each)) })),
      ...choices.map((name) => ({ name, description: '' })),
    ],
    options: help.visibleOptions(command).flatMap(describe),
    takesFile: command.registeredArguments.some((argument) => argument.name() === 'file'),
  }
  return [own, ...visible.flatMap((each) => candidatesOf(each, `${words} ${each.name()}`.trim()))]
}

/** Returns the names of all options that are followed by a value, which is no command even if it is named like one. */
export function valueOptions(candidates: readonly Candidates[]): readonly string[] {
  const names = candidates.flatMap(({ options }) =>
    options.filter(({ value }) => value !== 'none').map(({ name }) => name),
  )
  return [...new Set(names)]
}

function describe(option: Option): readonly DescribedOption[] {
  const { long, description, argChoices } = option
  return long === undefined || long === null ? [] : [{ name: long, description, value: kindOf(option, argChoices) }]
}

function kindOf(option: Option, choices: readonly string[] | undefined): DescribedOption['value'] {
  if (!option.required && !option.optional) return 'none'
  return choices ?? (option.flags.includes('<file>') ? 'file' : 'any')
}

function sentence(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
