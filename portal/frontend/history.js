// Draws a dashboard's history from the table behind it, so that each column can be read by pointer and keyboard.
// Without it the server's picture stands.

import { axisBottom, axisLeft } from "d3-axis";
import { scaleBand, scaleLinear } from "d3-scale";
import { pointer, select } from "d3-selection";
import { area, line } from "d3-shape";

const RATE = 180, GAP = 56, COUNT = 110, LEFT = 52, TOP = 30, BOTTOM = 28;
const HEIGHT = TOP + RATE + GAP + COUNT + BOTTOM;
const root = document.querySelector("[data-live]");

const rows = (table) => [...table.tBodies[0].rows].map((row, place) => {
  const texts = [...row.cells].map((cell) => cell.textContent);
  const [, , total, satisfied, rest, rate, low, high] =
    [...row.cells].map((cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : null));
  return { place, texts, total, satisfied, rest, rate, low, high };
});

const days = ([first, last]) => (first === last ? first : `${first} – ${last}`);

const reading = (row, { says, hides, none }) => {
  if (!row.total) return `${days(row.texts)}: ${row.total === null ? hides : none}`;
  const [, , total, , , rate, low, high] = row.texts;
  const words = { days: days(row.texts), rate, low, high, total };
  return says.replaceAll(/\{(\w+)\}/g, (_, name) => words[name]);
};

// Whole tenths around all intervals, a fifth at least; as the lists beside it.
const bounds = (shown) => {
  const high = Math.max(...shown.map((row) => Math.ceil(row.high * 10)), 2);
  const low = Math.min(...shown.map((row) => Math.floor(row.low * 10)), high - 2);
  return [low / 10, high / 10];
};

const draw = (figure, holder, data, defs, at) => {
  const width = Math.max(holder.clientWidth, 260);
  const shown = data.filter((row) => row.rate !== null);
  const x = scaleBand(data.map((row) => row.place), [LEFT, width - 8]).paddingInner(0.25).paddingOuter(0.15);
  const middle = (row) => x(row.place) + x.bandwidth() / 2;
  const share = scaleLinear(bounds(shown), [TOP + RATE, TOP]);
  const floor = TOP + RATE + GAP + COUNT;
  const count = scaleLinear([0, Math.max(...data.map((row) => row.total ?? 0), 2)], [floor, floor - COUNT]).nice(2);

  const svg = select(holder).selectAll("svg").data([null]).join("svg")
    .attr("viewBox", `0 0 ${width} ${HEIGHT}`).attr("aria-hidden", "true").attr("focusable", "false");
  svg.selectChildren().remove();
  svg.append(() => defs.cloneNode(true));
  const written = new Intl.NumberFormat(document.documentElement.lang === "en" ? "en-GB" : "vi-VN");
  svg.append("g").attr("class", "scale-lines").attr("transform", `translate(${LEFT - 8})`)
    .call(axisLeft(share).ticks(4).tickFormat((value) => `${Math.round(value * 100)}%`).tickSize(8 - width + LEFT));
  svg.append("g").attr("class", "scale-lines").attr("transform", `translate(${LEFT - 8})`)
    .call(axisLeft(count).ticks(2).tickFormat((value) => written.format(value)).tickSize(8 - width + LEFT));
  const most = Math.max(2, Math.floor((width - LEFT) / 80));
  const step = Math.ceil(data.length / most);
  const label = (row) => (figure.dataset.unit === "month" ? row.texts[0].slice(3) : row.texts[0].slice(0, 5));
  svg.append("g").attr("class", "scale-lines").attr("transform", `translate(0,${floor})`)
    .call(axisBottom(x).tickValues(data.filter((row) => row.place % step === 0).map((row) => row.place))
      .tickFormat((place) => label(data[place])).tickSize(6));
  for (const [title, y] of [[figure.dataset.rateTitle, 0], [figure.dataset.countTitle, TOP + RATE + 20]]) {
    svg.append("text").attr("class", "tick").attr("x", LEFT).attr("y", y + 12).text(title);
  }

  const known = (row) => row.rate !== null;
  svg.append("path").attr("class", "band").attr("d", area().defined(known).x(middle).y0((row) => share(row.low)).y1((row) => share(row.high))(data));
  svg.append("path").attr("class", "course").attr("d", line().defined(known).x(middle).y((row) => share(row.rate))(data));
  svg.append("g").selectAll("line").data(shown).join("line").attr("class", "whisker thin")
    .attr("x1", middle).attr("x2", middle).attr("y1", (row) => share(row.low)).attr("y2", (row) => share(row.high));
  svg.append("g").selectAll("circle").data(shown).join("circle").attr("class", "point")
    .attr("cx", middle).attr("cy", (row) => share(row.rate)).attr("r", Math.min(4.5, Math.max(2, x.bandwidth() / 3)));
  const columns = (name, from, to) => svg.append("g").selectAll("rect").data(data.filter((row) => to(row) > from(row))).join("rect")
    .attr("x", (row) => x(row.place)).attr("width", x.bandwidth())
    .attr("y", (row) => count(to(row))).attr("height", (row) => count(from(row)) - count(to(row))).attr("class", name);
  columns("bar", () => 0, (row) => row.satisfied ?? 0);
  columns("rest-of", (row) => row.satisfied ?? 0, (row) => row.total ?? 0).attr("fill", "url(#vach)");
  svg.append("g").selectAll("rect").data(data.filter((row) => row.total === null)).join("rect").attr("class", "hidden")
    .attr("x", (row) => x(row.place)).attr("width", x.bandwidth()).attr("y", floor - 8).attr("height", 8);

  const cursor = svg.append("line").attr("class", "cursor").attr("y1", TOP).attr("y2", floor);
  const mark = svg.append("circle").attr("class", "mark").attr("r", 7);
  const point = (place) => {
    const row = data[place];
    cursor.attr("x1", middle(row)).attr("x2", middle(row));
    mark.attr("visibility", known(row) ? "visible" : "hidden");
    if (known(row)) mark.attr("cx", middle(row)).attr("cy", share(row.rate));
  };
  point(at);
  const under = (event) => {
    const [across] = pointer(event, svg.node());
    return Math.min(data.length - 1, Math.max(0, Math.floor(((across - LEFT) / (width - 8 - LEFT)) * data.length)));
  };
  return { point, under };
};

const enhance = (figure) => {
  const pictures = figure.querySelector("[data-pictures]");
  const data = rows(figure.querySelector("table"));
  const defs = pictures.querySelector("defs");
  if (!data.some((row) => row.rate !== null) || !defs) return;
  const holder = document.createElement("div");
  const words = document.createElement("p");
  words.className = "reading number";
  holder.className = "drawn";
  for (const [name, value] of Object.entries({
    role: "slider", tabindex: 0, "aria-label": figure.dataset.reads, "aria-valuemin": 0, "aria-valuemax": data.length - 1,
  })) holder.setAttribute(name, value);
  pictures.replaceChildren(words, holder);

  let at = data.reduce((last, row) => (row.total ? row.place : last), 0);
  let picture = draw(figure, holder, data, defs, at);
  const read = (place) => {
    at = Math.min(data.length - 1, Math.max(0, place));
    const text = reading(data[at], figure.dataset);
    words.textContent = text;
    holder.setAttribute("aria-valuenow", at);
    holder.setAttribute("aria-valuetext", text);
    picture.point(at);
  };
  const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 7, PageDown: -7, Home: -Infinity, End: Infinity };
  holder.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    read(at + steps[event.key]);
  });
  for (const kind of ["pointermove", "pointerdown"]) holder.addEventListener(kind, (event) => read(picture.under(event)));
  new ResizeObserver(() => { picture = draw(figure, holder, data, defs, at); }).observe(holder);
  read(at);
};

const all = () => { for (const figure of document.querySelectorAll("[data-history]:not([data-drawn])")) { figure.dataset.drawn = ""; enhance(figure); } };
root.addEventListener("redrawn", all);
all();
