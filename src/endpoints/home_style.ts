/** The style of the page at `/`: the system's fonts, light and dark, down to the width of a phone. */
export const HOME_STYLE: string = `
:root { --text: #1b1f24; --soft: #57606a; --back: #fff; --panel: #f3f5f7; --edge: #8c959f; --link: #0550ae; --good: #116329; --bad: #b3171f }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9da7b1; --back: #0d1117; --panel: #1a2029; --edge: #6e7681; --link: #79b8ff; --good: #56d364; --bad: #ff8b84 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 44rem; margin: 0 auto; padding: 2.5rem 1.25rem }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; letter-spacing: -.01em }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.0625rem }
h3 { margin: 1rem 0 .5rem; font-size: .875rem; font-weight: 600; color: var(--soft) }
p { margin: 0 }
ul { margin: 0; padding: 0; list-style: none }
li { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; padding: .4rem 0; border-bottom: 1px solid var(--panel) }
code, pre, input { font: .875rem/1.6 ui-monospace, monospace; overflow-wrap: anywhere }
li code { color: var(--soft) }
b { font-weight: 600 }
pre { margin: 0; padding: .9rem 1rem; border-radius: .5rem; background: var(--panel); white-space: pre-wrap }
form { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem; margin: 1.25rem 0 1rem }
label { display: grid; gap: .375rem; font-size: .875rem; color: var(--soft) }
input { width: 100%; min-height: 2.75rem; padding: 0 .75rem; border: 1px solid var(--edge); border-radius: .5rem; background: var(--back); color: var(--text) }
button { justify-self: start; min-height: 2.75rem; padding: 0 1.25rem; border: 0; border-radius: .5rem; background: var(--link); color: var(--back); font: 600 1rem system-ui, sans-serif; cursor: pointer }
a { color: var(--link) }
.good { color: var(--good) }
.bad { color: var(--bad) }
#token { word-break: break-all }
#status { min-height: 1.6rem; font-weight: 600 }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
`
