// Makes elements from facts. A fact only ever becomes a text node or an attribute, never markup.

const FACTS = JSON.parse(document.getElementById("facts").textContent);

// In the order of need. Each state has a word, a shape and a colour: no two differ by colour alone.
const STATES = {
  broken: {
    word: "Broken",
    says: "Calls fail, or the key cannot be read",
    shape: "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
    mark: "M5.5 5.5l5 5m0-5l-5 5",
  },
  attention: {
    word: "Attention",
    says: "Will break unless a person acts",
    shape: "M8 1.2L15.4 14.6H.6z",
    mark: "M8 6v4m0 2v.6",
  },
  unknown: {
    word: "Not known",
    says: "Not asked, no answer, or too old",
    shape: "M8 .8L15.2 8 8 15.2.8 8z",
    mark: "M6.4 6.3a1.7 1.7 0 1 1 2.3 1.6c-.5.2-.7.5-.7 1.1m0 2v.3",
  },
  off: {
    word: "Disabled",
    says: "Off on purpose: nobody can read the key",
    shape: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z",
    mark: "M4.5 8h7",
    hollow: true,
  },
  ok: { word: "OK", says: "Works", shape: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z", mark: "M4.8 8.3l2.2 2.2 4.2-4.6" },
};

const SVG = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function element(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function drawing(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// The shapes stand in the page once; 2,000 tiles refer to them.
function shapes() {
  const symbols = Object.entries(STATES).map(([name, { shape, mark, hollow }]) =>
    drawing(
      "symbol",
      { id: `shape-${name}`, viewBox: "0 0 16 16" },
      drawing("path", { d: shape, class: hollow ? "shape hollow" : "shape" }),
      drawing("path", { d: mark, class: hollow ? "mark hollow" : "mark" }),
    ),
  );
  const hatch = drawing(
    "pattern",
    { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    drawing("rect", { width: 6, height: 6, class: "hatch-ground" }),
    drawing("rect", { width: 2.6, height: 6, class: "hatch-line" }),
  );
  return drawing("svg", { class: "definitions", "aria-hidden": "true" }, symbols, hatch);
}

function shape(severity) {
  return drawing(
    "svg",
    { class: "icon", "aria-hidden": "true", width: 16, height: 16 },
    drawing("use", { href: `#shape-${severity}` }),
  );
}

// Isolated, so that a right-to-left name, or a mark in it, does not turn the words around it.
function name(text) {
  return element("bdi", null, text);
}

// A sentence whose words between backticks are to be typed, as in a terminal.
function prose(text) {
  const parts = text.split("`");
  return name(parts.length % 2 ? parts.map((part, number) => (number % 2 ? element("code", null, part) : part)) : text);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function day(minutes) {
  const date = new Date(minutes * 60000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

// "30 Nov 2026, 09:05 UTC", with the reader's own time for a pointer to find.
function moment(minutes) {
  const date = new Date(minutes * 60000);
  return element(
    "time",
    { datetime: date.toISOString(), title: `${date.toLocaleString()} on this machine` },
    `${day(minutes)}, ${date.toISOString().slice(11, 16)} UTC`,
  );
}

// The facts' sentences begin small and end without a stop, as parts of a line in a terminal.
function sentence(number) {
  const text = FACTS.texts[number];
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function span(minutes) {
  if (minutes < 90) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h`;
  return `${Math.round(minutes / 1440).toLocaleString("en")} days`;
}

// Relative to when the fleet was asked: the page is as old as that.
function relative(minutes) {
  const away = minutes - FACTS.as_of;
  if (away === 0) return "";
  return away > 0 ? `in ${span(away)}` : `${span(-away)} ago`;
}

// Clocks differ: what began a moment later than the fleet was asked has just begun.
function lasted(trouble) {
  return span(Math.max(FACTS.as_of - trouble.since, 0));
}

function troubleOf(trouble, heading) {
  const todo = FACTS.texts[trouble.do];
  const more = FACTS.texts[trouble.page];
  return element(
    "li",
    { class: `trouble ${trouble.severity}` },
    element(
      heading,
      null,
      shape(trouble.severity),
      element("span", { class: "word" }, STATES[trouble.severity].word),
      " ",
      prose(sentence(trouble.sentence)),
    ),
    element(
      "p",
      { class: "quiet" },
      trouble.since === undefined
        ? "Not known since when"
        : ["Since ", moment(trouble.since), `, ${lasted(trouble)}`],
      trouble.whose && trouble.whose !== "us"
        ? `. Only ${trouble.whose === "openai" ? "OpenAI" : "the customer"} can mend it`
        : null,
    ),
    todo && todo !== `\`${trouble.command}\`` ? element("p", null, "To do: ", prose(todo)) : null,
    trouble.command ? element("p", null, element("code", { class: "command" }, trouble.command)) : null,
    more ? element("p", { class: "quiet" }, "More: ", element("code", null, more)) : null,
  );
}
