/** The completion script for zsh. */

import { type Candidates, type Described, valueOptions } from './candidates.ts'

export function zshScript(candidates: readonly Candidates[]): string {
  return `# Completes edgemint, npx edgemint and bunx edgemint in zsh.

_edgemint_words() {
  case "$1" in
${candidates.map(wordsCase).join('\n')}
    *) return 1 ;;
  esac
}

_edgemint_values() {
  case "$1" in
${candidates.flatMap(valueCases).join('\n')}
    *) return 1 ;;
  esac
}

# Completes the words from the given index.
_edgemint_from() {
  local at=$1 words_before=''
  local -a commands options values
  local files=''
  _edgemint_words ''
  for (( ; at < CURRENT; at++ )); do
    if [[ "$words[at]" == (${valueOptions(candidates).join('|')}) ]]; then
      (( at++ ))
    elif _edgemint_words "\${words_before:+$words_before }$words[at]"; then
      words_before="\${words_before:+$words_before }$words[at]"
    fi
  done
  if _edgemint_values "$words_before $words[CURRENT-1]"; then
    if [[ "$values" == '<file>' ]]; then _files; else compadd -a values; fi
  elif [[ "$words[CURRENT]" == -* ]]; then
    _describe -o option options
  elif (( $#commands )); then
    _describe command commands
  elif [[ -n "$files" ]]; then
    _files
  fi
}

_edgemint() {
  _edgemint_from 2
}

typeset -gA _edgemint_before

# Completes npx and bunx as before, unless they run edgemint.
_edgemint_runner() {
  local at
  for (( at = 2; at < CURRENT; at++ )); do
    case "$words[at]" in
      edgemint|edgemint@*) _edgemint_from $(( at + 1 )); return ;;
      -*) ;;
      *) break ;;
    esac
  done
  \${_edgemint_before[$service]:-_default} "$@"
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
for _edgemint_service in npx bunx; do
  if [[ "\${_comps[$_edgemint_service]}" != _edgemint_runner ]]; then
    _edgemint_before[$_edgemint_service]="\${_comps[$_edgemint_service]}"
  fi
done
unset _edgemint_service
compdef _edgemint edgemint
compdef _edgemint_runner npx bunx
`
}

function wordsCase({ words, commands, options, takesFile }: Candidates): string {
  return `    '${words}') commands=(${described(commands)}) options=(${described(options)}) files='${takesFile ? 'yes' : ''}' ;;`
}

function described(list: readonly Described[]): string {
  return list.map(({ name, description }) => quote(`${name}:${description}`)).join(' ')
}

function valueCases({ words, options }: Candidates): readonly string[] {
  return options.flatMap(({ name, value }) => {
    if (value === 'none') return []
    const values = value === 'any' ? [] : value === 'file' ? ['<file>'] : value
    return [`    '${words} ${name}') values=(${values.map(quote).join(' ')}) ;;`]
  })
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
