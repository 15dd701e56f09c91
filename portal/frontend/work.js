// Where an edition asks for a proof of work, the device computes while the citizen fills in the form.
// Without this file, or where computing fails, the page stays as it came: with the image code.

const field = document.querySelector("[data-work]");
const state = document.querySelector("[data-work-state]");

const solved = new Promise((resolve, reject) => {
  if (!field || !globalThis.Worker || !globalThis.crypto?.subtle) return reject(new Error("cannot compute"));
  fetch(field.dataset.work, { headers: { Accept: "application/json" }, cache: "no-store" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
    .then((puzzle) => {
      const worker = new Worker(field.dataset.workScript, { type: "module" });
      worker.onerror = () => reject(new Error("worker"));
      worker.onmessage = ({ data }) => (data ? resolve(data) : reject(new Error("no number")));
      worker.postMessage(puzzle);
    })
    .catch(reject);
});

const say = (what) => { if (state) state.textContent = state.dataset[what] ?? ""; };

if (field) {
  say("working");
  solved.then(
    (proof) => {
      field.value = proof;
      say("done");
      // What was typed stays: who has begun to enter the code may finish.
      const code = [...document.querySelectorAll("[data-until-solved]")];
      const begun = code.some((part) => part.contains(document.activeElement) || part.querySelector("[name=code]")?.value);
      if (begun) return;
      for (const part of code) part.hidden = true;
      const title = document.querySelector("[data-when-solved]");
      if (title) title.textContent = title.dataset.whenSolved;
    },
    () => say("failed"),
  );
  // Where the proof is needed, sending waits for it instead of failing.
  field.form.addEventListener("submit", (event) => {
    if (field.value || !("workNeeded" in field.dataset)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say("waiting");
    solved.then(() => field.form.requestSubmit(), () => field.form.submit());
  }, { capture: true });
}
