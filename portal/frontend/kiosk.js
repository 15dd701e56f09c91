// A screen at a desk goes back to its first page when nobody touches it, and says so beforehand.

const COUNTDOWN_SECONDS = 30; // to say that one is still there; WCAG 2.2.1 asks for 20
const THANKS_SECONDS = 8;
const RELOAD_SECONDS = 600; // officers come and go; a key may be revoked
const AGAIN_MS = 5000;

const first = document.querySelector("[data-start]") !== null;
const idle = Number(document.body.dataset.idle);
const wait = document.querySelector("[data-over]") ? Math.min(THANKS_SECONDS, idle) : idle;
const dialog = document.querySelector("[data-still-there]");
const left = dialog.querySelector("[data-left]");
const announced = dialog.querySelector("[data-announce-left]");
let touched = performance.now();
let leaving = false;

// The first page is asked for before this one is given up: a page that did not come could not be left any more.
const leave = async () => {
  if (leaving) return;
  leaving = true;
  for (;;) {
    try {
      const answer = await fetch("/kiosk", { cache: "no-store" });
      if (answer.ok || answer.status === 401) break;
    } catch {
      // Offline: below.
    }
    for (const form of document.forms) form.reset();
    for (const input of document.querySelectorAll("input:not([type=hidden])")) {
      if (input.type === "checkbox" || input.type === "radio") input.checked = false;
      else input.value = "";
    }
    dialog.querySelector("[data-leaving]").hidden = true;
    dialog.querySelector("[data-offline]").hidden = false;
    dialog.querySelector("[data-stay]").hidden = true;
    if (!dialog.open) dialog.showModal();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  location.replace("/kiosk");
};

const stay = () => {
  if (leaving) return;
  touched = performance.now();
  if (dialog.open) dialog.close();
};

const look = () => {
  if (leaving) return;
  const still = (performance.now() - touched) / 1000;
  if (first) {
    if (still >= RELOAD_SECONDS || (location.search && still >= wait)) leave();
  } else if (still >= wait + COUNTDOWN_SECONDS) {
    leave();
  } else if (still >= wait) {
    const seconds = Math.ceil(wait + COUNTDOWN_SECONDS - still);
    left.textContent = seconds;
    if (!dialog.open) dialog.showModal();
    if (seconds % 10 === 0) announced.textContent = seconds;
  }
};

dialog.querySelector("[data-stay]").addEventListener("click", stay);
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  stay();
});
for (const name of ["pointerdown", "keydown", "scroll"]) {
  addEventListener(name, () => { if (!dialog.open) touched = performance.now(); }, { capture: true, passive: true });
}
for (const link of document.querySelectorAll("[data-leave]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
}
// A page that the browser kept whole is the last one's.
addEventListener("pageshow", (event) => { if (event.persisted) location.replace("/kiosk"); });
addEventListener("contextmenu", (event) => event.preventDefault());
setInterval(look, 250);
