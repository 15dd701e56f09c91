// <hai-long-rating>: rate a one-stop officer from any page. docs/embedding.md says how.

import { Apis, Refused } from "./apis.js";
import { Challenge } from "./challenge.js";
import { choice, input, make, mistake, summary, ticks } from "./parts.js";
import { dress } from "./style.js";
import { WORDS } from "./words.js";

const LOOKS = 30; // for an outcome, each some 20 s long
const NOTHING = () => ({ officer: "", answer: "", reasons: [], phone: "", consent: false });

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, "0")).join("");

class HaiLongRating extends HTMLElement {
  static observedAttributes = ["officer", "unit", "lang", "intake", "verification"];

  #root = this.attachShadow({ mode: "open" });
  #place = make("div", {});
  #live = make("p", { role: "status", class: "hint" });
  #run = 0; // what an earlier run still waits for comes too late
  #entered = NOTHING();
  #picked = 0;
  #kept = null; // the key, and the body that it stands for

  constructor() {
    super();
    dress(this.#root);
    this.#root.append(this.#place, this.#live);
  }

  connectedCallback() {
    this.#plan();
  }

  disconnectedCallback() {
    this.#run += 1;
    this.#forget();
    this.#place.replaceChildren();
  }

  attributeChangedCallback(name, before, after) {
    if (this.isConnected && before !== after) this.#plan();
  }

  // Once, however many attributes come at a time.
  #plan() {
    const run = (this.#run += 1);
    queueMicrotask(() => run === this.#run && this.#begin());
  }

  get #language() {
    const said = this.lang || this.closest("[lang]")?.lang || document.documentElement.lang;
    return said.toLowerCase().startsWith("en") ? "en" : "vi";
  }

  #forget() {
    this.#entered = NOTHING();
    this.#kept = null;
  }

  async #begin() {
    const run = (this.#run += 1);
    const language = this.#language;
    this.words = WORDS[language];
    this.#place.setAttribute("lang", language);
    this.#live.setAttribute("lang", language);
    this.#forget();
    this.#say(this.words.loading);
    const said = (name) => this.getAttribute(name) ?? "";
    try {
      const apis = new Apis({ intake: said("intake"), verification: said("verification") || said("intake"), language });
      const edition = await apis.get("intake", "v1/edition");
      const officer = said("officer") ? await apis.get("intake", `v1/directory/officers/${encodeURIComponent(said("officer"))}`) : null;
      const unit = !officer && said("unit") ? await apis.get("intake", `v1/directory/units/${encodeURIComponent(said("unit"))}`) : null;
      const groups = officer || unit ? [] : (await apis.get("intake", "v1/directory")).groups;
      const challenge = new Challenge(apis, edition, this.words);
      await challenge.renew();
      if (run !== this.#run) return;
      Object.assign(this, { apis, edition, officer, unit, groups, group: "", units: [], challenge });
      this.#say("");
      if (officer && !officer.active) this.#end(this.words.gone);
      else this.#form();
    } catch (error) {
      if (run === this.#run) this.#failed(error, () => this.#begin());
    }
  }

  #say(text) {
    this.#live.textContent = text;
  }

  #text = (both) => both[this.apis.language] ?? both.vi;

  // --- the form --------------------------------------------------------------------------------------

  #form(wrong = {}) {
    const { words, edition } = this;
    const entered = this.#entered;
    const answers = edition.instrument.answers;
    const asks = () => answers.find((each) => each.id === entered.answer)?.asks_reasons ?? false;
    const reasons = ticks("reasons", "checkbox", words.reasons, edition.instrument.reasons.map((each) => [each.id, this.#text(each.text)]), { wrong: wrong.reasons, chosen: entered.reasons, hidden: !asks() });
    const answered = (event) => {
      entered.answer = event.target.value;
      reasons.hidden = !asks();
    };
    const form = make(
      "form", { novalidate: true, onsubmit: (event) => this.#send(event) },
      ...this.#whom(wrong),
      ticks("answer", "radio", this.#text(edition.instrument.question), answers.map((each) => [each.id, this.#text(each.text)]), { wrong: wrong.answer, chosen: [entered.answer], onchange: answered }),
      reasons,
      input("phone", words.phone, { type: "tel", inputmode: "tel", autocomplete: "tel", maxlength: 40, value: entered.phone, wrong: wrong.phone, hint: words.phoneHint(edition.policy.phone_retention_days) }),
      make(
        "div", { class: "tick" },
        mistake("consent", wrong.consent),
        make("label", { for: "consent" }, make("input", { type: "checkbox", id: "consent", checked: entered.consent, "aria-invalid": wrong.consent ? "true" : null, "aria-describedby": wrong.consent ? "wrong-consent" : null }), make("span", {}, words.consent)),
      ),
      this.challenge.show(wrong),
      make("button", { type: "submit", class: "main" }, words.send),
    );
    this.#place.replaceChildren(make("h2", { tabindex: "-1" }, words.title), form);
    this.#point(wrong);
  }

  // Once the form stands, so that each mistake leads to its field.
  #point(wrong) {
    const told = Object.fromEntries(Object.entries(wrong).filter(([, text]) => text));
    if (!Object.keys(told).length) return;
    const box = summary(this.words.mistakes, told, this.#root);
    this.#place.prepend(box);
    box.focus();
  }

  #whom(wrong) {
    const { words } = this;
    if (this.officer) return [make("p", {}, make("strong", {}, this.officer.name), make("br"), `${this.#text(this.officer.title)} · ${this.#text(this.officer.unit.name)}`)];
    const named = (all) => all.map((each) => [each.id, typeof each.name === "string" ? each.name : this.#text(each.name)]);
    const pick = (load) => async (event) => {
      const { id, value } = event.target;
      const [run, picked] = [this.#run, (this.#picked += 1)];
      let found;
      try {
        found = await load(value);
      } catch (error) {
        return this.#failed(error, () => this.#begin());
      }
      if (run !== this.#run || picked !== this.#picked) return;
      this.#read();
      Object.assign(this, found);
      this.#form();
      this.#root.getElementById(id).focus();
    };
    const place = (kind, id) => this.apis.get("intake", `v1/directory/${kind}/${encodeURIComponent(id)}`);
    const ofGroup = pick(async (id) => ({ group: id, unit: null, units: id ? (await place("groups", id)).units : [] }));
    const ofUnit = pick(async (id) => ({ unit: id ? await place("units", id) : null }));
    const fixed = this.getAttribute("unit");
    return [
      !fixed && choice("group", words.group, named(this.groups), { chosen: this.group, empty: words.choose, onchange: ofGroup }),
      fixed ? make("p", {}, make("strong", {}, this.#text(this.unit.name))) : choice("unit", words.unit, named(this.units), { chosen: this.unit?.id, empty: words.choose, onchange: ofUnit }),
      choice("officer", words.officer, named(this.unit?.officers ?? []), { chosen: this.#entered.officer, empty: words.choose, wrong: wrong.officer }),
    ].filter(Boolean);
  }

  #read() {
    const value = (name) => this.#root.getElementById(name)?.value.trim() ?? "";
    const ticked = (name) => [...this.#root.querySelectorAll(`[name=${name}]:checked`)].map((each) => each.value);
    const asks = this.edition.instrument.answers.find((each) => each.id === this.#entered.answer)?.asks_reasons;
    this.#entered = {
      officer: this.officer?.id ?? value("officer"),
      answer: ticked("answer")[0] ?? "",
      reasons: asks ? ticked("reasons") : [],
      phone: value("phone"),
      consent: this.#root.getElementById("consent").checked,
    };
  }

  // --- sending ---------------------------------------------------------------------------------------

  async #send(event) {
    event.preventDefault();
    const button = event.target.querySelector("[type=submit]");
    if (button.getAttribute("aria-busy")) return;
    this.#read();
    if (!this.#entered.officer) return this.#form({ officer: this.words.chooseOfficer });
    const run = this.#run;
    button.setAttribute("aria-busy", "true");
    this.#say(this.words.sending);
    const { officer, ...rest } = this.#entered;
    const proved = await this.challenge.answer();
    const body = { edition_id: this.edition.id, officer_id: officer, ...rest, language: this.apis.language, ...proved };
    // What is sent again after a failure is the same rating; once anything in it differs, it is another.
    if (this.#kept?.body !== JSON.stringify(body)) this.#kept = { key: newKey(), body: JSON.stringify(body) };
    try {
      const { rating_id: rating, receipt } = await this.apis.rate(body, this.#kept.key);
      if (run !== this.#run) return;
      this.#tell("hai-long:kept", { ratingId: rating });
      await this.#follow(rating, receipt, run);
    } catch (error) {
      if (run === this.#run) this.#refused(error);
    }
  }

  #refused(error) {
    this.#say("");
    if (error.code === "edition_closed" || error.code === "no_open_edition") return this.#end(this.words.closed);
    const { challenge, proof_of_work: proof, officer_id: officer, ...fields } = error.fields ?? {};
    const known = Object.fromEntries(Object.entries(fields).filter(([name]) => ["answer", "reasons", "phone", "consent"].includes(name)));
    const wrong = { ...known, code: challenge ?? proof, officer };
    if (Object.values(wrong).some(Boolean)) return this.#form(wrong);
    this.#form({ again: (error instanceof Refused && error.message) || this.words.unreachable });
  }

  async #follow(rating, receipt, run, seen) {
    this.#say(this.words.deciding);
    for (let look = 0; look < LOOKS; look += 1) {
      const outcome = await this.apis.outcome(rating, seen).catch(() => ({ status: "pending" }));
      if (run !== this.#run) return;
      if (outcome.status === "pending" || (seen !== undefined && outcome.phone_code?.tries_left === seen)) continue;
      this.#say("");
      if (outcome.status === "phone_code_needed") return this.#phoneCode(rating, receipt, outcome.phone_code.tries_left, seen === undefined ? {} : { sms: this.words.smsWrong });
      this.#tell("hai-long:outcome", { ratingId: rating, status: outcome.status, ...(outcome.reason && { reason: outcome.reason }) });
      return this.#decided(outcome, receipt);
    }
    this.#end(this.words.undecided);
  }

  async #decided({ status, reason, withdrawable_until: until }, receipt) {
    if (status === "accepted") return this.#end(this.words.thanks, this.words.thanksMore, receipt && until && this.#receipt(receipt, new Date(until)));
    if (reason === "duplicate") return this.#end(this.words.duplicate);
    if (reason === "edition_closed") return this.#end(this.words.closed);
    this.#kept = null;
    const text = reason.startsWith("proof_of_work") ? this.words.rejected.challenge_invalid : (this.words.rejected[reason] ?? this.words.rejected.other);
    const at = reason.startsWith("challenge") ? "code" : ["expired", "phone_code_wrong", "phone_unreadable"].includes(reason) ? "phone" : "again";
    try {
      await this.challenge.renew();
    } catch (error) {
      return this.#failed(error, () => this.#decided({ status, reason }));
    }
    this.#form({ [at]: text });
  }

  #phoneCode(rating, receipt, triesLeft, wrong) {
    const { words } = this;
    let sent = null; // the same code is the same try
    const enter = async (event) => {
      event.preventDefault();
      const code = this.#root.getElementById("sms").value.trim();
      if (sent?.code !== code) sent = { code, key: newKey() };
      const run = this.#run;
      this.#say(words.sending);
      try {
        await this.apis.phoneCode(rating, { edition_id: this.edition.id, code }, sent.key);
        if (run === this.#run) await this.#follow(rating, receipt, run, triesLeft);
      } catch (error) {
        if (run !== this.#run) return;
        this.#say("");
        this.#phoneCode(rating, receipt, triesLeft, { sms: error.fields?.code || error.message || words.unreachable });
      }
    };
    this.#place.replaceChildren(
      make("h2", { tabindex: "-1" }, words.smsTitle),
      make(
        "form", { novalidate: true, onsubmit: enter },
        input("sms", words.sms, { class: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 20, hint: words.smsHint(triesLeft), wrong: wrong.sms }),
        make("button", { type: "submit", class: "main" }, words.send),
      ),
    );
    if (wrong.sms) this.#point(wrong);
    else this.#place.querySelector("h2").focus();
  }

  // --- ends ------------------------------------------------------------------------------------------

  // The same for every answer that was given; nothing of what was entered is left.
  #end(title, more, receipt) {
    this.#forget();
    const heading = make("h2", { tabindex: "-1" }, title);
    const another = !this.officer && make("button", { type: "button", onclick: () => this.#begin() }, this.words.anotherRating);
    this.#place.replaceChildren(heading, ...[more && make("p", {}, more), receipt, another].filter(Boolean));
    heading.focus();
  }

  // For the citizen alone: neither events nor the page's address have it.
  #receipt(receipt, until) {
    const { words } = this;
    const portal = this.getAttribute("portal");
    const day = until.toLocaleDateString(this.apis.language === "en" ? "en-GB" : "vi-VN");
    return make(
      "div", {},
      make("p", {}, words.receipt, " ", make("strong", { class: "code" }, receipt)),
      make("p", { class: "hint" }, words.receiptHint(day)),
      portal && make("p", {}, make("a", { href: new URL("rut-lai", portal.endsWith("/") ? portal : `${portal}/`).href }, words.withdraw)),
    );
  }

  #failed(error, again) {
    this.#say("");
    if (error.code === "no_open_edition" || error.code === "edition_closed") return this.#end(this.words.closed);
    const { words } = this;
    const portal = this.getAttribute("portal");
    const box = make(
      "div", { class: "summary", role: "alert" },
      make("p", {}, error.message && error instanceof Refused ? error.message : words.unreachable),
    );
    const form = portal && make("p", {}, make("a", { href: new URL(this.getAttribute("officer") ? `danh-gia/cong-chuc/${this.getAttribute("officer")}` : "danh-gia", portal.endsWith("/") ? portal : `${portal}/`).href }, words.form));
    this.#place.replaceChildren(...[box, make("button", { type: "button", onclick: again }, words.again), form].filter(Boolean));
  }

  // Never what was answered, nor anything else that was entered.
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

if (!customElements.get("hai-long-rating")) customElements.define("hai-long-rating", HaiLongRating);
