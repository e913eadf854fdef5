/** The completion script for bash, 3.2 or newer, with or without the package bash-completion. */

import { type Candidates, valueOptions } from './candidates.ts'

export function bashScript(candidates: readonly Candidates[]): string {
  return `# Completes edgemint, npx edgemint and bunx edgemint in bash.

# Sets commands, options and files to what may follow the words of a command; fails if there is no such command.
_edgemint_words() {
  case "$1" in
${candidates.map(wordsCase).join('\n')}
    *) return 1 ;;
  esac
}

# Sets values to those of an option; fails if the word is not an option with a value.
_edgemint_values() {
  case "$1" in
${candidates.flatMap(valueCases).join('\n')}
    *) return 1 ;;
  esac
}

# Whether the word is an option of any command that is followed by a value.
_edgemint_takes_value() {
  case "$1" in
    ${valueOptions(candidates).join('|')}) ;;
    *) return 1 ;;
  esac
}

# Completes the name of a file, which bash quotes. The word may have escapes already.
_edgemint_files() {
  local file
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "\${1//\\\\/}")
}

# Completes the words from the given index.
_edgemint_from() {
  local at=$1 word='' path='' commands='' options='' files='' values='' IFS=$' \\t\\n'
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  [[ $cur != '=' ]] || cur=''
  [[ $prev != '=' ]] || prev=\${COMP_WORDS[COMP_CWORD-2]}
  COMPREPLY=()
  _edgemint_words ''
  for (( ; at < COMP_CWORD; at++ )); do
    word=\${COMP_WORDS[at]}
    if _edgemint_takes_value "$word"; then
      [[ \${COMP_WORDS[at+1]} != '=' ]] || (( at++ ))
      (( at++ ))
    elif _edgemint_words "\${path:+$path }$word"; then
      path="\${path:+$path }$word"
    fi
  done
  if _edgemint_values "$path $prev"; then
    if [[ $values == '<file>' ]]; then _edgemint_files "$cur"; else COMPREPLY=( $(compgen -W "$values" -- "$cur") ); fi
  elif [[ $cur == -* ]]; then
    COMPREPLY=( $(compgen -W "$options" -- "$cur") )
  elif [[ -n $commands ]]; then
    COMPREPLY=( $(compgen -W "$commands" -- "$cur") )
  elif [[ -n $files ]]; then
    _edgemint_files "$cur"
  fi
}

_edgemint() {
  _edgemint_from 1
}

# Completes npx and bunx as before, unless they run edgemint.
_edgemint_runner() {
  local at before="_edgemint_before_\${1##*/}"
  for (( at = 1; at < COMP_CWORD; at++ )); do
    case "\${COMP_WORDS[at]}" in
      edgemint|edgemint@*)
        compopt +o default +o bashdefault 2>/dev/null
        _edgemint_from $(( at + 1 ))
        return ;;
      -*) ;;
      *) break ;;
    esac
  done
  COMPREPLY=()
  [[ -z \${!before} ]] || "\${!before}" "$@"
}

_edgemint_wrap() {
  local spec
  spec=$(complete -p "$1" 2>/dev/null) || spec="complete -o bashdefault -o default -F _edgemint_runner $1"
  [[ $spec =~ \\ -F\\ ([^ ]+)\\  ]] || return 0
  [[ \${BASH_REMATCH[1]} == _edgemint_runner ]] || printf -v "_edgemint_before_$1" %s "\${BASH_REMATCH[1]}"
  eval "\${spec/ -F \${BASH_REMATCH[1]} / -F _edgemint_runner }"
}

complete -F _edgemint edgemint
_edgemint_wrap npx
_edgemint_wrap bunx
`
}

function wordsCase({ words, commands, options, takesFile }: Candidates): string {
  const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(' ')
  return `    '${words}') commands='${names(commands)}' options='${names(options)}' files='${takesFile ? 'yes' : ''}' ;;`
}

function valueCases({ words, options }: Candidates): readonly string[] {
  return options.flatMap(({ name, value }) => {
    if (value === 'none') return []
    const values = value === 'any' ? '' : value === 'file' ? '<file>' : value.join(' ')
    return [`    '${words} ${name}') values='${values}' ;;`]
  })
}
