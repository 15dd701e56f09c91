// Pieces of the form. All text goes in as text: no markup is ever made out of it.

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// What ties a field to its hint and to what is wrong with it.
const tied = (name, wrong, hint) => ({
  "aria-invalid": wrong ? "true" : null,
  "aria-describedby": [hint && `hint-${name}`, wrong && `wrong-${name}`].filter(Boolean).join(" ") || null,
});

export const mistake = (name, wrong) => wrong && make("p", { class: "wrong", id: `wrong-${name}` }, wrong);

export function input(name, label, { wrong, hint, ...more }) {
  return make(
    "div", {},
    make("label", { for: name }, label),
    hint && make("p", { class: "hint", id: `hint-${name}` }, hint),
    mistake(name, wrong),
    make("input", { id: name, name, ...tied(name, wrong, hint), ...more }),
  );
}

export function choice(name, label, options, { wrong, chosen, empty, onchange }) {
  const all = [["", empty], ...options];
  return make(
    "div", {},
    make("label", { for: name }, label),
    mistake(name, wrong),
    make("select", { id: name, name, onchange, ...tied(name, wrong) }, ...all.map(([value, text]) => make("option", { value, selected: value === chosen }, text))),
  );
}

export function ticks(name, type, legend, options, { wrong, chosen, onchange, ...more }) {
  const boxes = options.map(([value, text], place) =>
    make("label", {}, make("input", { type, name, value, id: place ? null : name, checked: chosen.includes(value), onchange }), make("span", {}, text)),
  );
  return make("fieldset", { "aria-describedby": wrong ? `wrong-${name}` : null, ...more }, make("legend", {}, legend), mistake(name, wrong), make("div", { class: type === "radio" ? "answers" : "tick" }, ...boxes));
}

// All that is wrong, with a way to each; takes focus, so that it is read out.
export function summary(title, wrong, root) {
  const links = Object.entries(wrong).map(([name, text]) =>
    make("li", {}, root.getElementById(name) ? make("a", { href: `#${name}`, onclick: (event) => { event.preventDefault(); root.getElementById(name).focus(); } }, text) : text),
  );
  return make("div", { class: "summary", role: "alert", tabindex: "-1" }, make("p", {}, title), make("ul", {}, ...links));
}
