/** The completion script for fish. */

import { type Candidates, type Described, valueOptions } from './candidates.ts'

export function fishScript(candidates: readonly Candidates[]): string {
  return `# Completes edgemint, npx edgemint and bunx edgemint in fish.

# Prints what may follow the words before the cursor, with descriptions.
function __edgemint_candidates
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    while set -q tokens[1]; and not string match -qr '(^|/)edgemint(@.*)?$' -- $tokens[1]
        set -e tokens[1]
    end
    set -e tokens[1]
    set -l words ''
    set -l is_value no
    for token in $tokens
        test $is_value = yes; and set is_value no; and continue
        contains -- $token ${valueOptions(candidates).join(' ')}; and set is_value yes; and continue
        set -l next (string trim -- "$words $token")
        contains -- $next ${candidates.map(({ words }) => quote(words)).join(' ')}; and set words $next
    end
    switch "$words $tokens[-1]"
${candidates.flatMap(valueCases).join('\n')}
    end
    switch "$words"
${candidates.map(wordsCase).join('\n')}
    end
end

# Whether the first word that is not an option is edgemint.
function __edgemint_is_run
    for token in (commandline -opc)[2..-1]
        string match -q -- '-*' $token; or return (string match -qr '^edgemint(@.*)?$' -- $token; echo $status)
    end
    return 1
end

complete -c edgemint -f -a '(__edgemint_candidates)'
complete -c npx -n __edgemint_is_run -f -a '(__edgemint_candidates)'
complete -c bunx -n __edgemint_is_run -f -a '(__edgemint_candidates)'
`
}

function wordsCase({ words, commands, options, takesFile }: Candidates): string {
  const files = takesFile ? ['            __fish_complete_path $current'] : []
  const lines = [...commands, ...files, ...options].map((each) => (typeof each === 'string' ? each : printed(each)))
  return [`        case ${quote(words)}`, ...lines].join('\n')
}

function printed({ name, description }: Described): string {
  return `            printf '%s\\t%s\\n' ${quote(name)} ${quote(description)}`
}

function valueCases({ words, options }: Candidates): readonly string[] {
  return options.flatMap(({ name, value }) => {
    if (value === 'none') return []
    const lines =
      value === 'any'
        ? []
        : value === 'file'
          ? ['__fish_complete_path $current']
          : value.map((each) => `echo ${quote(each)}`)
    return [`        case ${quote(`${words} ${name}`)}`, ...[...lines, 'return'].map((line) => `            ${line}`)]
  })
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
