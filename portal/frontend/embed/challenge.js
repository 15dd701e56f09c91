// What the edition asks the citizen, or their device, to prove before a rating is sent.

import { input, make } from "./parts.js";
import { canCompute, solve } from "./proof.js";

export class Challenge {
  #apis;
  #edition;
  #words;
  #digits = null;
  #proof = null;
  #place = make("div", {});
  #state = make("p", { role: "status", class: "hint" });

  constructor(apis, edition, words) {
    this.#apis = apis;
    this.#edition = edition;
    this.#words = words;
  }

  get #asksDigits() {
    return this.#edition.policy.verification !== "phone";
  }

  get #computes() {
    const how = this.#edition.policy.proof_of_work;
    return how === "beside" || (how === "instead" && this.#asksDigits);
  }

  // Each is good for one rating: begin anew after a rejection.
  async renew() {
    this.#digits = null;
    this.#proof = null;
    if (this.#computes) this.#compute();
    if (this.#asksDigits) this.#digits = await this.#apis.challenge(this.#edition.id, "digits");
  }

  async #compute() {
    const working = {};
    this.#proof = working;
    if (!canCompute()) {
      if (this.#edition.policy.proof_of_work === "beside") this.#state.textContent = this.#words.cannotCompute;
      return;
    }
    this.#state.textContent = this.#words.computing;
    try {
      working.done = this.#apis.challenge(this.#edition.id, "proof_of_work").then(solve);
      working.solution = await working.done;
    } catch {
      this.#state.textContent = "";
      return;
    }
    if (this.#proof !== working) return;
    const spared = this.#edition.policy.proof_of_work === "instead" && this.#putAway();
    this.#state.textContent = spared ? this.#words.computed : "";
  }

  // Who has begun to enter the code may finish.
  #putAway() {
    const code = this.#place.querySelector("#code");
    if (code && (code.value || code.getRootNode().activeElement === code)) return false;
    this.#place.hidden = true;
    return true;
  }

  show(wrong) {
    const words = this.#words;
    this.#place.replaceChildren();
    this.#place.hidden = this.#edition.policy.proof_of_work === "instead" && Boolean(this.#proof?.solution);
    if (this.#digits) {
      const media = (path) => this.#apis.address("verification", path);
      this.#place.append(
        make("img", { src: media(this.#digits.image), alt: words.picture, referrerpolicy: "no-referrer" }),
        make("p", { class: "hint", id: "sound-label" }, words.sound),
        make("audio", { src: media(this.#digits.audio[this.#apis.language]), controls: true, preload: "none", "aria-labelledby": "sound-label" }),
        input("code", words.code, { hint: words.codeHint, wrong: wrong.code, class: "code", inputmode: "numeric", autocomplete: "off", maxlength: 32 }),
        make("p", {}, make("button", { type: "button", onclick: () => this.#another() }, words.another)),
      );
    }
    return make("div", {}, this.#place, this.#state);
  }

  async #another() {
    this.#digits = await this.#apis.challenge(this.#edition.id, "digits").catch(() => this.#digits);
    this.show({});
    this.#place.querySelector("#code").focus();
  }

  // What goes with the rating: a proof in place of the code, or beside it.
  async answer() {
    const found = {};
    const code = this.#place.querySelector("#code")?.value.trim();
    const how = this.#edition.policy.proof_of_work;
    if (how === "beside") await this.#proof?.done?.catch(() => null);
    if (this.#proof?.solution) found.proof_of_work = this.#proof.solution;
    if (this.#digits && (code || !(how === "instead" && found.proof_of_work))) found.challenge = { id: this.#digits.id, answer: code ?? "" };
    return found;
  }
}
