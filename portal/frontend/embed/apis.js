// Intake and verification, as the element calls them. Nothing is stored, no cookie is sent.

const TRIES = { rating: 5, other: 3 };
const DEADLINE_MS = 15_000;
const LONGEST_PAUSE_S = 20;
const WAIT_S = 20;

// An answer to act on: a problem of the API (RFC 9457), or `status` 0 where there was none.
export class Refused extends Error {
  constructor(status, problem = {}) {
    super(problem.detail ?? "");
    this.status = status;
    this.code = String(problem.type ?? "").split(":").pop();
    this.fields = Object.fromEntries((problem.errors ?? []).map((each) => [each.pointer.split("/")[1] ?? each.pointer, each.detail]));
  }
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export class Apis {
  constructor({ intake, verification, language }) {
    const base = (address) => new URL(address.endsWith("/") ? address : `${address}/`, document.baseURI);
    this.bases = { intake: base(intake), verification: base(verification) };
    this.language = language;
  }

  address(api, path) {
    return new URL(path.replace(/^\//, ""), this.bases[api]).href;
  }

  get = (api, path) => this.#ask(api, path, {});

  challenge = (edition, kind) => this.#ask("verification", "v1/challenges", { body: { edition_id: edition, kind } });

  // The same key is the same rating, however often it has to be sent.
  rate = (body, key) => this.#ask("intake", "v1/ratings", { body, key });

  phoneCode = (rating, body, key) => this.#ask("intake", `v1/ratings/${rating}/phone-code`, { body, key });

  outcome = (rating, seen) => {
    const tries = seen === undefined ? "" : `&tries_left=${seen}`;
    return this.#ask("verification", `v1/ratings/${rating}/outcome?wait=${WAIT_S}${tries}`, { extra: WAIT_S * 1000 });
  };

  async #ask(api, path, { body, key, extra = 0 }) {
    const tries = key ? TRIES.rating : TRIES.other;
    for (let attempt = 1; ; attempt += 1) {
      let after = attempt;
      try {
        const answer = await fetch(this.address(api, path), {
          method: body ? "POST" : "GET",
          headers: { "Accept-Language": this.language, ...(body && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) },
          body: body && JSON.stringify(body),
          credentials: this.bases[api].origin === location.origin ? "same-origin" : "omit",
          cache: "no-store",
          referrerPolicy: "no-referrer",
          signal: AbortSignal.timeout?.(DEADLINE_MS + extra),
        });
        if (answer.ok) return await answer.json();
        const refused = new Refused(answer.status, await answer.json().catch(() => ({})));
        after = Number(answer.headers.get("Retry-After")) || attempt;
        if (answer.status < 500 || after > LONGEST_PAUSE_S || attempt === tries) throw refused;
      } catch (error) {
        if (error instanceof Refused) throw error;
        if (attempt === tries) throw new Refused(0);
      }
      await pause(after + Math.random() / 2);
    }
  }
}
