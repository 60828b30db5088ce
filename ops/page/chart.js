// Spend by day. A day that OpenAI has not told is no zero: it has no bar, but a mark of its own.

const CHART = { height: 132, top: 18, base: 112 };

function dayAt(number) {
  return FACTS.first_day + number * 1440;
}

function usd(amount) {
  const places = amount > 0 && amount < 0.1 ? 4 : 2;
  return `$${amount.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places })}`;
}

function kind(spend, number) {
  if (spend.days[number] === null) return "none";
  return spend.provisional?.includes(number) ? "provisional" : "final";
}

const KINDS = { final: "final", provisional: "provisional: OpenAI may still change it", none: "no data" };

function spendChart(spend) {
  const known = spend.days.filter((amount) => amount !== null);
  const most = Math.max(...known, spend.daily ?? 0) || 1;
  const y = (amount) => CHART.base - (amount / most) * (CHART.base - CHART.top);
  const step = 100 / spend.days.length;
  const bars = spend.days.map((amount, number) => {
    const of = kind(spend, number);
    const top = amount === null ? CHART.base - 4 : Math.min(y(amount), CHART.base - 1);
    return drawing(
      "rect",
      {
        class: `bar ${of}`,
        x: `${(number + 0.12) * step}%`,
        width: `${step * 0.76}%`,
        y: top,
        height: CHART.base - top,
      },
      drawing(
        "title",
        null,
        `${day(dayAt(number))}: ${amount === null ? "no data" : usd(amount)}${of === "provisional" ? ", provisional" : ""}`,
      ),
    );
  });
  const firsts = spend.days.flatMap((_, number) =>
    new Date(dayAt(number) * 60000).getUTCDate() === 1 && number > 8 && number < 26 ? [number] : [],
  );
  const short = (number) => day(dayAt(number)).replace(/ \d+$/, "");
  const last = spend.days.length - 1;
  return drawing(
    "svg",
    {
      class: "chart",
      height: CHART.height,
      role: "img",
      "aria-label": `Spend by day, ${day(dayAt(0))} to ${day(dayAt(last))}. The table below has each amount.`,
    },
    firsts.map((number) =>
      drawing("line", {
        class: "grid",
        x1: `${number * step}%`,
        x2: `${number * step}%`,
        y1: CHART.top - 4,
        y2: CHART.base + 6,
      }),
    ),
    drawing("line", { class: "axis", x1: "0", x2: "100%", y1: CHART.base, y2: CHART.base }),
    bars,
    spend.daily
      ? drawing("line", { class: "pace", x1: "0", x2: "100%", y1: y(spend.daily), y2: y(spend.daily) })
      : null,
    drawing("text", { x: 0, y: CHART.top - 6 }, usd(most)),
    drawing("text", { x: 0, y: CHART.height - 4 }, short(0)),
    firsts.map((number) =>
      drawing("text", { x: `${number * step}%`, y: CHART.height - 4, "text-anchor": "middle" }, short(number)),
    ),
    drawing("text", { x: "100%", y: CHART.height - 4, "text-anchor": "end" }, short(last)),
  );
}

function key(className, words) {
  return element(
    "li",
    null,
    drawing(
      "svg",
      { width: 14, height: 12, "aria-hidden": "true" },
      className === "pace"
        ? drawing("line", { class: "pace", x1: 0, x2: 14, y1: 6, y2: 6 })
        : drawing("rect", {
            class: `bar ${className}`,
            x: 1,
            width: 12,
            y: className === "none" ? 8 : 1,
            height: className === "none" ? 4 : 11,
          }),
    ),
    words,
  );
}

function spendTable(spend) {
  const rows = spend.days.map((amount, number) =>
    element(
      "tr",
      null,
      element("th", { scope: "row" }, day(dayAt(number))),
      element("td", { class: "number" }, amount === null ? "–" : usd(amount)),
      element("td", null, KINDS[kind(spend, number)]),
    ),
  );
  return element(
    "details",
    null,
    element("summary", null, "Each day in a table"),
    element(
      "table",
      null,
      element(
        "thead",
        null,
        element(
          "tr",
          null,
          ["Day (UTC)", "Spend", "What it is"].map((text) => element("th", { scope: "col" }, text)),
        ),
      ),
      element("tbody", null, rows.reverse()),
    ),
  );
}

// A bar of its own, since a budget may be passed: the mark at 100 % stays in sight.
function meter(spend) {
  const end = Math.max(100, spend.percent);
  const level = spend.percent >= 100 ? "broken" : spend.percent >= 80 ? "attention" : "ok";
  return drawing(
    "svg",
    { class: `meter ${level}`, height: 18, "aria-hidden": "true" },
    drawing("rect", { class: "ground", width: "100%", height: 12, y: 3, rx: 6 }),
    drawing("rect", { class: "level", width: `${(spend.percent / end) * 100}%`, height: 12, y: 3, rx: 6 }),
    end > 100 ? drawing("line", { class: "mark", x1: `${10000 / end}%`, x2: `${10000 / end}%`, y1: 0, y2: 18 }) : null,
  );
}

function spendSection(spend) {
  if (!spend) return element("p", { class: "quiet" }, "Not known: OpenAI's costs were not read for this tenant.");
  const told = spend.days.some((amount) => amount !== null);
  return [
    element(
      "p",
      { class: "figure" },
      element("strong", null, spend.month),
      spend.budget ? ` of ${spend.budget} this month` : " this month",
      spend.percent === undefined
        ? null
        : element(
            "span",
            { class: "quiet" },
            spend.percent === 0 && spend.month !== "$0.00" ? " under 0.01 %" : ` ${spend.percent} %`,
          ),
    ),
    spend.percent === undefined ? null : meter(spend),
    element(
      "p",
      { class: "quiet" },
      spend.budget === undefined
        ? "No budget is declared. "
        : spend.hard
          ? "OpenAI blocks calls beyond the budget. "
          : "The budget only warns. ",
      spend.limit ? `The spend limit at OpenAI is ${spend.limit}. ` : "No spend limit at OpenAI is known. ",
      "US dollars before tax, as of ",
      moment(spend.as_of),
      ".",
    ),
    told ? spendChart(spend) : element("p", { class: "quiet" }, "OpenAI has told no day of the last five weeks."),
    told
      ? element(
          "ul",
          { class: "legend" },
          key("final", "final"),
          key("provisional", "provisional"),
          key("none", "no data"),
          spend.daily ? key("pace", `the budget spread evenly, ${usd(spend.daily)} a day`) : null,
        )
      : null,
    told ? spendTable(spend) : null,
  ];
}
