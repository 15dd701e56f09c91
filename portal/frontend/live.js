// Keeps a dashboard page current. The server draws everything; this moves the head figures at once
// and asks the server to draw the rest again. The stream is of all days: a page of some days is only drawn again.

const root = document.querySelector("[data-live]");
const language = document.documentElement.lang;
const count = new Intl.NumberFormat(language === "en" ? "en-GB" : "vi-VN");
const percent = new Intl.NumberFormat(language === "en" ? "en-GB" : "vi-VN", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });

const still = matchMedia("(prefers-reduced-motion: reduce)");
const tick = (place) => {
  if (!still.matches) place.animate([{ translate: "0 0.2em" }, { translate: "0 0" }], { duration: 400, easing: "ease-out" });
};
const put = (name, text) => {
  for (const place of root.querySelectorAll(`[data-figure="${name}"]`)) {
    if (place.textContent === text) continue;
    place.textContent = text;
    tick(place);
  }
};
// Each part as the server drew it last: what else changes in it is other scripts' work.
const drawn = new Map([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part.innerHTML]));
const figures = (part) => new Map([...part.querySelectorAll("[data-figure]")].map((place) => [place.dataset.figure, place]));

let revision = Number(root.dataset.revision);
let spoken = Date.now();
// An event that is no snapshot says that something moved, be it only what may be shown, or by the clock.
const show = (figures, kind) => {
  if (root.dataset.joined !== undefined) return void (kind === "figures" && redraw()); // a sum that no stream carries
  if (figures.revision < revision) return;
  const moved = kind === "figures" || figures.revision !== revision || root.dataset.stale !== undefined;
  revision = figures.revision;
  if (root.dataset.redraws === undefined) putHead(figures);
  if (figures.updated_at) put("time", clock.format(new Date(figures.updated_at)));
  if (moved) redraw();
};
const putHead = (figures) => {
  for (const name of ["total", "satisfied", "not_satisfied"]) if (!figures.suppressed) put(name, count.format(figures[name]));
  if (figures.rate === null || !figures.interval) return;
  put("rate", percent.format(figures.rate));
  put("low", percent.format(figures.interval.low));
  put("high", percent.format(figures.interval.high));
};

// Quietly: at most one redrawing a second and a half, one announcement a quarter of a minute.
let drawing = null;
let again = false;
const redraw = () => {
  if (drawing) return void (again = true);
  drawing = draw().finally(() => {
    setTimeout(() => {
      drawing = null;
      if (again) { again = false; redraw(); }
    }, 1500);
  });
};
// As a document at once: the policy of our pages (Trusted Types) lets nobody make markup out of text.
const load = (address) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("GET", address);
  request.responseType = "document";
  request.addEventListener("load", () => resolve(request.status === 200 ? request.response : null));
  request.addEventListener("error", reject);
  request.send();
});
const draw = async () => {
  try {
    const fresh = await load(location.href);
    if (!fresh) return;
    if (fresh.documentElement.lang !== document.documentElement.lang) return void location.reload(); // chosen elsewhere
    for (const part of root.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (!next || next.innerHTML === drawn.get(part.dataset.part)) continue;
      if (part.contains(document.activeElement)) { again = true; continue; }
      drawn.set(part.dataset.part, next.innerHTML);
      const before = figures(part);
      const open = [...part.querySelectorAll("details")].map((d) => d.open);
      part.replaceChildren(...next.childNodes);
      part.querySelectorAll("details").forEach((d, i) => { d.open = Boolean(open[i]); });
      for (const [name, place] of figures(part)) if (before.get(name)?.textContent !== place.textContent) tick(place);
    }
    root.dispatchEvent(new Event("redrawn"));
    if (Date.now() - spoken > 15000) {
      spoken = Date.now();
      const words = fresh.querySelector("[data-spoken]");
      if (words) root.querySelector("[data-announce]").textContent = words.dataset.spoken;
    }
  } catch {
    // The stream says when the connection is lost; the next change draws again.
  }
};

let pause = 1000;
let last = "";
const connect = () => {
  const address = new URL(root.dataset.stream);
  if (last) address.searchParams.set("last_event_id", last);
  const stream = new EventSource(address);
  const received = (event) => {
    last = event.lastEventId || last;
    pause = 1000;
    root.dataset.live = "on";
    show(JSON.parse(event.data), event.type);
  };
  stream.addEventListener("open", () => { root.dataset.live = "on"; });
  stream.addEventListener("snapshot", received);
  stream.addEventListener("figures", received);
  stream.addEventListener("error", () => {
    root.dataset.live = "off";
    if (stream.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
    stream.close();
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, 30000);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
};
connect();
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
