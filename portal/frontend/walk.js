// The walk works without this file; it only makes it smoother.

const summary = document.querySelector("[data-error-summary]");
if (summary) summary.focus();

// One press is enough: a second one while the first is on its way does nothing.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    form.querySelector("button[type=submit]")?.setAttribute("aria-busy", "true");
  });
}
// A page that comes back out of the browser's cache must be usable again. One that was kept whole, although it
// is for nobody to keep, is asked for anew: on a shared screen the next citizen goes back, too.
addEventListener("pageshow", (event) => {
  if (event.persisted) return location.reload();
  for (const form of document.querySelectorAll("form[data-once]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

// Players become plain buttons.
const players = [...document.querySelectorAll(".sound audio")];
for (const player of players) {
  const place = player.parentElement;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "ds-button";
  button.dataset.variant = place.dataset.variant ?? "secondary";
  button.textContent = player.getAttribute("aria-label");
  button.addEventListener("click", () => {
    for (const other of players) other.pause();
    player.currentTime = 0;
    player.play().catch(() => { player.controls = true; player.hidden = false; });
  });
  player.controls = false;
  player.hidden = true;
  place.replaceChildren(button, player);
}

// A receipt can be copied and printed; without this file it can be marked, and the browser prints.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied;
  });
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// The page that waits asks again by itself, instead of reloading.
const waiting = document.querySelector("[data-poll]");
if (waiting) {
  const ask = async () => {
    try {
      const answer = await fetch(waiting.dataset.poll, { headers: { Accept: "application/json" }, cache: "no-store" });
      const { location: next } = await answer.json();
      if (next) return location.replace(next);
    } catch {
      // Offline: ask again.
    }
    setTimeout(ask, 2000);
  };
  setTimeout(ask, 1000);
}
