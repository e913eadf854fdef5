/** The style of the page at `/`: the system's fonts, light and dark, down to the width of a phone. */
export const HOME_STYLE: string = `
:root { --text: #1b1f24; --soft: #57606a; --back: #fff; --panel: #f3f5f7; --link: #0550ae }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9da7b1; --back: #0d1117; --panel: #1a2029; --link: #79b8ff }
}
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 44rem; margin: 0 auto; padding: 2.5rem 1.25rem }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; letter-spacing: -.01em }
h2 { margin: 2.25rem 0 .5rem; font-size: .875rem; font-weight: 600; color: var(--soft) }
p { margin: 0 }
ul { margin: 0; padding: 0; list-style: none }
li { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; padding: .4rem 0; border-bottom: 1px solid var(--panel) }
code, pre { font: .875rem/1.6 ui-monospace, monospace; overflow-wrap: anywhere }
li code { color: var(--soft) }
pre { margin: 0; padding: .9rem 1rem; border-radius: .5rem; background: var(--panel); white-space: pre-wrap }
a { color: var(--link) }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
`
