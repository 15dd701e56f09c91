// The page of a screen that the network has left: one citizen after the other, all on this page.
// `kiosk.js` goes back to the first step when nobody touches it, here as on every page of the screen.

import { SENDING, add, addUnfinished, drain, isFull, newKey } from "./kiosk-queue.js";

const LOOK_MS = 5000;
const PAUSED_UNTIL = "kiosk-paused-until";
const { boxes, edition, language, pause } = document.querySelector("[data-keeps]").dataset;
const steps = Object.fromEntries([...document.querySelectorAll("[data-step]")].map((step) => [step.dataset.step, step]));
const form = steps.form.querySelector("form");
const groups = [...form.querySelectorAll("[data-group]")];
let officer = null;
let going = false;

const show = (name) => {
  for (const [each, step] of Object.entries(steps)) step.hidden = each !== name;
  steps[name].querySelector("h1").focus();
  scrollTo(0, 0);
};

// A child at the screen shall not rate by the dozen. Whatever the clock was set to, it waits no longer than that.
const pausedFor = () => Math.min(Number(localStorage.getItem(PAUSED_UNTIL)) - Date.now(), 1000 * pause);
const tellPause = () => {
  const left = Math.ceil(pausedFor() / 1000);
  const told = steps.start.querySelector("[data-wait]");
  told.hidden = told.hidden || left <= 0;
  told.querySelector("[data-wait-seconds]").textContent = left;
};

for (const link of steps.start.querySelectorAll("[data-officer]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    const full = await isFull();
    steps.start.querySelector("[data-full]").hidden = !full;
    steps.start.querySelector("[data-wait]").hidden = pausedFor() <= 0;
    tellPause();
    if (full || pausedFor() > 0) return;
    officer = link.dataset;
    steps.form.querySelector("[data-officer-name]").textContent = officer.name;
    steps.form.querySelector("[data-officer-title]").textContent = officer.title;
    show("form");
  });
}

const chosen = (name) => form.querySelector(`[name=${name}]:checked`)?.value ?? "";
const asked = (group) => group.dataset.group !== "reasons" || group.dataset.of === chosen("answer");
const given = (group) => group.querySelector(":checked") !== null || "optional" in group.dataset;

form.addEventListener("change", () => {
  for (const group of groups) {
    group.hidden = !asked(group);
    if (given(group)) group.querySelector("[data-mistake]").hidden = true;
  }
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  if (button.disabled) return;
  const wrong = groups.filter((group) => asked(group) && !given(group));
  for (const group of groups) group.querySelector("[data-mistake]").hidden = !wrong.includes(group);
  if (wrong.length) return wrong[0].querySelector("input").focus();
  button.disabled = true;
  const reasons = groups.filter((group) => group.dataset.group === "reasons" && asked(group));
  const rating = {
    key: newKey(),
    given: Date.now(),
    edition_id: edition,
    officer_id: officer.officer,
    answer: chosen("answer"),
    reasons: reasons.flatMap((group) => [...group.querySelectorAll(":checked")].map((each) => each.value)),
    respondent: chosen("respondent"),
    language,
  };
  try {
    await add(rating, boxes);
    localStorage.setItem(PAUSED_UNTIL, rating.given + 1000 * pause);
    form.reset();
    officer = null;
    show("thanks");
    dispatchEvent(new Event("kept"));
  } catch {
    steps.start.querySelector("[data-full]").hidden = false; // the disk takes no more
    show("start");
  } finally {
    button.disabled = false;
  }
});

// Back to the portal as soon as it is there, and nobody is rating.
const look = async () => {
  if (going || steps.start.hidden) return;
  try {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(LOOK_MS) });
    if (!answer.ok) return;
  } catch {
    return;
  }
  if (going || steps.start.hidden) return;
  going = true;
  await drain();
  location.replace("/kiosk");
};

if (location.pathname.endsWith(SENDING)) {
  show("unfinished");
  addUnfinished(location.pathname).then(() => dispatchEvent(new Event("kept")));
}
setInterval(tellPause, 1000);
setInterval(look, LOOK_MS);
addEventListener("online", look);
