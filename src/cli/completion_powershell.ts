/** The completion script for PowerShell, 5.1 or newer. */

import { type Candidates, type Described, valueOptions } from './candidates.ts'

/** PowerShell reads all of these as a single quote. */
const QUOTES = /['\u2018\u2019\u201a\u201b]/g

export function powershellScript(candidates: readonly Candidates[]): string {
  return `# Completes edgemint, npx edgemint and bunx edgemint in PowerShell.

$edgemintCompleter = {
    param($wordToComplete, $commandAst, $cursorPosition)

    # What may follow the words of a command, with descriptions.
    $commands = @{
${candidates.map(({ words, commands }) => entry(words, commands)).join('\n')}
    }
    $options = @{
${candidates.map(({ words, options }) => entry(words, options)).join('\n')}
    }
    # The values of options.
    $values = @{
${candidates.flatMap(valueEntries).join('\n')}
    }
    # Whether a name of a file may follow.
    $files = @(${candidates.flatMap(fileWords).map(quote).join(', ')})
    # The options that are followed by a value.
    $takesValue = @(${valueOptions(candidates).map(quote).join(', ')})

    $before = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim([char[]]@(34, 39)) })

    # Skips the command itself, and after npx and bunx their options.
    $at = 1
    if ((Split-Path -Leaf $before[0]) -notmatch '^edgemint(\\.|$)') {
        while ($at -lt $before.Count -and $before[$at].StartsWith('-')) { $at++ }
        if ($at -ge $before.Count -or $before[$at] -notmatch '^edgemint(@|$)') { return }
        $at++
    }

    $words = ''
    for (; $at -lt $before.Count; $at++) {
        # The value of an option is no command.
        if ($takesValue -contains $before[$at]) { $at++; continue }
        $next = "$words $($before[$at])".Trim()
        if ($commands.ContainsKey($next)) { $words = $next }
    }

    $word = "$wordToComplete"
    $option = $before[-1]
    $prefix = ''
    if ($word -match '^(--[a-z-]+)=(.*)$') {
        $option = $Matches[1]
        $prefix = $option + '='
        $word = $Matches[2]
    }

    # If nothing is returned, PowerShell completes names of files.
    $key = "$words $option"
    $type = 'ParameterValue'
    if ($files -contains $key) { return }
    if ($values.ContainsKey($key)) { $found = $values[$key] }
    elseif ($word.StartsWith('-')) { $found = $options[$words]; $type = 'ParameterName' }
    elseif ($files -contains $words) { return }
    else { $found = $commands[$words] }

    $matching = @($found.GetEnumerator() |
        Where-Object { $_.Key.StartsWith($word, [StringComparison]::Ordinal) } |
        ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($prefix + $_.Key, $_.Key, $type, $_.Value)
        })
    # An empty text keeps PowerShell from completing names of files.
    if ($matching.Count -eq 0) { '' } else { $matching }
}

$edgemintPrograms = 'edgemint', 'npx', 'bunx'
Register-ArgumentCompleter -Native -CommandName $edgemintPrograms -ScriptBlock $edgemintCompleter
# On Windows, npm installs commands as scripts, for which PowerShell has another table.
$edgemintScripts = 'edgemint', 'edgemint.ps1', 'npx', 'npx.ps1', 'bunx', 'bunx.ps1'
Register-ArgumentCompleter -CommandName $edgemintScripts -ScriptBlock $edgemintCompleter
`
}

function entry(words: string, list: readonly Described[]): string {
  // The text that is shown for a candidate must not be empty.
  const pairs = list.map(({ name, description }) => `${quote(name)} = ${quote(description || name)}`)
  return `        ${quote(words)} = [ordered]@{ ${pairs.join('; ')} }`
}

function valueEntries({ words, options }: Candidates): readonly string[] {
  return options.flatMap(({ name, value }) => {
    if (value === 'none' || value === 'file') return []
    const values = value === 'any' ? [] : value.map((each) => ({ name: each, description: '' }))
    return [entry(`${words} ${name}`, values)]
  })
}

/** Returns the words after which, and the options for which, a name of a file is completed. */
function fileWords({ words, options, takesFile }: Candidates): readonly string[] {
  const named = options.filter(({ value }) => value === 'file').map(({ name }) => `${words} ${name}`)
  return takesFile ? [words, ...named] : named
}

function quote(text: string): string {
  return `'${text.replace(QUOTES, '$&$&')}'`
}
