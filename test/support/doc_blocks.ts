/** The fenced blocks of README.md and docs/. */

import { readdirSync, readFileSync } from 'node:fs'

export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync('docs')
    .sort()
    .map((name) => `docs/${name}`),
]

export interface Block {
  readonly page: string
  readonly language: string
  readonly text: string
}

/** Each block once, however many pages have it. */
export const blocks: readonly Block[] = withoutRepeats(PAGES.flatMap(blocksOf))

export function inLanguage(language: string): readonly Block[] {
  return blocks.filter((block) => block.language === language)
}

function blocksOf(page: string): readonly Block[] {
  const found = readFileSync(page, 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms)
  return [...found].map(([, language = '', text = '']) => ({ page, language, text: text.trim() }))
}

function withoutRepeats(all: readonly Block[]): readonly Block[] {
  return all.filter(({ text }, index) => all.findIndex((other) => other.text === text) === index)
}
