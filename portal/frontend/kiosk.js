// A screen at a desk goes back to its first page when nobody touches it, and says so beforehand. One that vouches
// for its ratings also keeps a page for when the network is away, and sends what was rated there.

import { drain, waiting } from "./kiosk-queue.js";

const COUNTDOWN_SECONDS = 30; // to say that one is still there; WCAG 2.2.1 asks for 20
const THANKS_SECONDS = 8;
const RELOAD_SECONDS = 600; // officers come and go; a key may be revoked
const AGAIN_MS = 5000;
const SEND_MS = 15_000;
const CACHE = "kiosk";

const seen = (what) => [...document.querySelectorAll(what)].some((each) => each.checkVisibility());
const atFirst = () => seen("[data-start]");
const idle = Number(document.body.dataset.idle);
const wait = () => (seen("[data-over]") ? Math.min(THANKS_SECONDS, idle) : idle);
// Where a worker answers for pages, the first page comes whether there is a network or not.
const held = () => Boolean(navigator.serviceWorker?.controller);
const dialog = document.querySelector("[data-still-there]");
const left = dialog.querySelector("[data-left]");
const announced = dialog.querySelector("[data-announce-left]");
let touched = performance.now();
let leaving = false;

// The first page is asked for before this one is given up: a page that did not come could not be left any more.
const leave = async () => {
  if (leaving) return;
  leaving = true;
  // The first page removes what it takes to finish a rating that was being sent.
  if (held()) await Promise.race([drain(), new Promise((resolve) => setTimeout(resolve, AGAIN_MS))]);
  for (;;) {
    try {
      const answer = await fetch("/kiosk", { cache: "no-store" });
      if (answer.ok || answer.status === 401 || held()) break;
    } catch {
      if (held()) break;
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
  if (atFirst()) {
    if (still >= RELOAD_SECONDS || (location.search && still >= wait())) leave();
  } else if (still >= wait() + COUNTDOWN_SECONDS) {
    leave();
  } else if (still >= wait()) {
    const seconds = Math.ceil(wait() + COUNTDOWN_SECONDS - still);
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

// What the pages' policy asks for before a worker is started by its address: that it is our own.
const ownWorker = (address) => {
  const createScriptURL = (given) => {
    if (given !== "/kiosk/worker.js") throw new TypeError(given);
    return given;
  };
  return globalThis.trustedTypes?.createPolicy("own-worker", { createScriptURL }).createScriptURL(address) ?? createScriptURL(address);
};

// Kept anew with each first page: officers and questions change, and so do the files that the page needs.
const keepPage = async ({ offline, worker, keep }) => {
  const cache = await caches.open(CACHE);
  const files = [...document.querySelectorAll("link[href^='/static/'], script[src^='/static/']")].map((each) => each.getAttribute("href") ?? each.getAttribute("src"));
  const wanted = [...new Set([...files, keep])];
  const take = async (address) => {
    // Not out of the browser's own cache: what a page has begun to load is locked there.
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok) throw new Error(address);
    await cache.put(address, answer);
  };
  for (const address of wanted) if (!(await cache.match(address))) await take(address);
  for (const language of ["vi", "en"]) await take(`${offline}?lang=${language}`);
  for (const each of await cache.keys()) {
    const { pathname } = new URL(each.url);
    if (pathname.startsWith("/static/") && !wanted.includes(pathname)) await cache.delete(each);
  }
  await navigator.storage?.persist?.();
  await navigator.serviceWorker.register(ownWorker(worker), { scope: "/" });
};

// What still waits to be sent stays.
const dropPage = async () => {
  for (const each of await navigator.serviceWorker.getRegistrations()) await each.unregister();
  await caches.delete(CACHE);
};

const tellWaiting = async () => {
  const count = await waiting();
  document.querySelector("[data-waiting-count]").textContent = count;
  document.querySelector("[data-waiting]").hidden = !count;
};
const send = async () => {
  await drain();
  await tellWaiting();
};

const start = document.querySelector("[data-start]")?.dataset;
if (navigator.serviceWorker && globalThis.caches && globalThis.crypto?.subtle) {
  if (start?.worker) keepPage(start).catch(() => {}); // again with the next first page
  else if (start && "offline" in start) dropPage().catch(() => {});
  addEventListener("kept", tellWaiting);
  addEventListener("online", send);
  setInterval(send, SEND_MS);
  send();
}
