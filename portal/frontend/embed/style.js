// A sheet that the element adopts: no content policy takes it for inline style.

const TEXT = `
:host { display: block; container-type: inline-size; color-scheme: light; color: #16302e; background: #fff; border: 1px solid #b9c8c6;
  border-radius: 8px; padding: 1.25rem; font: 1rem/1.6 "Be Vietnam Pro", system-ui, sans-serif; max-width: 40rem; box-sizing: border-box; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; font: inherit; color: inherit; }
h2 { font-size: 1.25rem; font-weight: 600; line-height: 1.5; margin: 0 0 .75rem; }
h2:focus, .summary:focus { outline: none; }
p { margin: 0 0 .75rem; }
form, fieldset { display: grid; gap: 1rem; margin: 0; padding: 0; border: 0; min-width: 0; }
fieldset { gap: .5rem; }
label, legend { font-weight: 600; padding: 0; }
.hint { font-size: .9375rem; margin: 0; color: #3d5654; }
input:not([type=radio], [type=checkbox]), select { display: block; width: 100%; min-height: 2.75rem; padding: .375rem .75rem; margin-top: .25rem;
  border: 1px solid #566b69; border-radius: 4px; background: #fff; }
input[aria-invalid=true], select[aria-invalid=true] { border: 2px solid #8a4b00; }
.code { max-width: 12rem; font-variant-numeric: tabular-nums; letter-spacing: .15em; }
.answers { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; }
@container (max-width: 22rem) { .answers { grid-template-columns: 1fr; } }
.answers label, .tick label { display: flex; gap: .625rem; align-items: center; min-height: 2.75rem; font-weight: 400; cursor: pointer; }
.answers label { padding: .75rem; border: 1px solid #566b69; border-radius: 6px; font-weight: 600; min-height: 3.5rem; }
.answers label:has(:checked) { border-color: var(--hai-long-accent, #0b5d57); box-shadow: inset 0 0 0 1px var(--hai-long-accent, #0b5d57); }
input[type=radio], input[type=checkbox] { width: 1.5rem; height: 1.5rem; flex: none; margin: 0; accent-color: var(--hai-long-accent, #0b5d57); }
img { display: block; max-width: 100%; height: auto; border: 1px solid #b9c8c6; border-radius: 4px; margin-bottom: .5rem; }
audio { display: block; width: 100%; max-width: 20rem; height: 2.75rem; margin: .25rem 0 .5rem; }
button { min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: 4px; border: 1px solid var(--hai-long-accent, #0b5d57); background: #fff;
  color: var(--hai-long-accent, #0b5d57); font-weight: 600; cursor: pointer; justify-self: start; }
button.main { background: var(--hai-long-accent, #0b5d57); color: #fff; }
p:has(> button) { margin: .75rem 0 0; }
button[aria-busy=true] { cursor: progress; opacity: .85; }
:focus-visible { outline: 3px solid #16302e; outline-offset: 2px; }
.wrong { color: #8a4b00; font-weight: 600; margin: .25rem 0; }
.summary { border-left: 6px solid #8a4b00; background: #fff6e9; padding: .75rem 1rem; margin: 0 0 1rem; }
.summary ul { margin: 0; padding-left: 1.25rem; }
.summary p { margin: 0; font-weight: 600; }
a { color: var(--hai-long-accent, #0b5d57); }
`;

export function dress(root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(TEXT);
  root.adoptedStyleSheets = [sheet];
}
