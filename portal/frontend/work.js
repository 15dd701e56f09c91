// Where an edition asks for a proof of work, the device computes while the citizen fills in the form.
// Without this file, or where computing fails, the page stays as it came: with the image code.

// What the pages' policy asks for before a script is started by its address: that it is one of our own.
const ownWorker = (address) => {
  const createScriptURL = (given) => {
    if (!given.startsWith("/static/")) throw new TypeError(given);
    return given;
  };
  return globalThis.trustedTypes?.createPolicy("own-worker", { createScriptURL }).createScriptURL(address) ?? createScriptURL(address);
};

const solve = async (place, script) => {
  const answer = await fetch(place, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const puzzle = await answer.json();
  return new Promise((resolve, reject) => {
    const worker = new Worker(ownWorker(script), { type: "module" });
    worker.onerror = reject;
    worker.onmessage = ({ data }) => (data ? resolve(data) : reject(new Error("no number")));
    worker.postMessage(puzzle);
  });
};

// Who has begun to enter the code may finish; for all others it is no longer needed.
const putCodeAway = () => {
  const code = [...document.querySelectorAll("[data-until-solved]")];
  const begun = (part) => part.contains(document.activeElement) || part.querySelector("[name=code]")?.value;
  if (!code.length || code.some(begun)) return;
  for (const part of code) part.hidden = true;
  const title = document.querySelector("[data-when-solved]");
  title.textContent = title.dataset.whenSolved;
};

const field = document.querySelector("[data-work]");
if (field && globalThis.Worker && globalThis.crypto?.subtle) {
  const state = document.querySelector("[data-work-state]");
  const say = (text) => { if (state) state.textContent = text; };
  say(state?.dataset.working);
  const solved = solve(field.dataset.work, field.dataset.workScript);
  solved.then(
    (proof) => {
      field.value = proof;
      say(state?.dataset.done);
      putCodeAway();
    },
    () => say(""),
  );
  // Where the proof is needed, sending waits for it. Were it never to come, the portal says what to do.
  field.form.addEventListener("submit", (event) => {
    if (field.value || !("workNeeded" in field.dataset)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(state?.dataset.waiting);
    solved.then(() => field.form.requestSubmit(), () => field.form.submit());
  }, { capture: true });
}
