// One tenant: what is wrong, then its key, its money, its limits and its models.

function section(title, ...children) {
  return element("section", { class: "panel" }, element("h2", null, title), ...children);
}

function state(tenant) {
  return element(
    "p",
    { class: `state ${tenant.severity}` },
    shape(tenant.severity),
    element("strong", null, STATES[tenant.severity].word),
    tenant.state.toLowerCase() === STATES[tenant.severity].word.toLowerCase() ? null : ["  ", name(tenant.state)],
  );
}

const SOURCES = {
  managed: "MyFlux Keys makes the keys",
  customer: "the customer's own key",
  "?": "no file declares it",
};

const HANDOVERS = {
  due: "its current key was not handed over",
  saved: "its current key was confirmed; the old one is or may be in use",
  done: "has the current key",
  unknown: "nobody can see which key it uses",
  "not checked": "not checked yet",
};

function handover(one) {
  const parts = [HANDOVERS[one.state] ?? name(one.state)];
  if (one.since !== undefined) parts.push(", since ", moment(one.since));
  if (one.ends !== undefined) parts.push("; the old key ends on ", moment(one.ends));
  parts.push(one.connected === undefined ? "; never connected" : ["; connected since ", moment(one.connected)]);
  return parts;
}

function about(tenant) {
  const rows = [
    ["Cell", name(tenant.cell)],
    ["Source", tenant.keyless ? "the runtime gets tokens" : (SOURCES[tenant.source] ?? name(tenant.source))],
    ["Enabled by its file", { true: "yes", false: "no" }[tenant.enabled] ?? "not known"],
    ...(tenant.keyless
      ? []
      : [["Readable in AWS", { true: "yes", false: "no" }[tenant.readable] ?? "not known"]]),
    ["Consumers", tenant.consumers ? name(tenant.consumers.join(", ")) : "none"],
    ...(tenant.handovers ?? []).map((one) => [name(one.consumer), handover(one)]),
    [
      "Last answer of OpenAI",
      tenant.seen === undefined
        ? "not known"
        : [moment(tenant.seen), element("span", { class: "quiet" }, ` ${relative(tenant.seen)}`)],
    ],
  ];
  return element(
    "dl",
    { class: "facts" },
    rows.map(([word, value]) => element("div", null, element("dt", null, word), element("dd", null, value))),
  );
}

function keyless() {
  return element(
    "p",
    null,
    "It has no key, so there is none to rotate or to hand over. The runtime gets tokens, which end by themselves.",
  );
}

function ending(model) {
  if (model.ends === undefined) return "none announced";
  const when =
    model.left < 0
      ? "it is shut down"
      : model.left === 0
        ? "today"
        : `in ${model.left.toLocaleString("en")} day${model.left === 1 ? "" : "s"}`;
  const severity = model.left <= 0 ? "broken" : model.left <= 90 ? "attention" : null;
  return [
    severity ? element("span", { class: severity }, shape(severity)) : null,
    `${model.ends}, ${when}`,
    model.replacement ? [element("br"), "then ", name(model.replacement)] : null,
  ];
}

// OpenAI tells a tenant's requests without their model, so this is the most that the model can have had.
function use(pace, limit) {
  if (limit === undefined) return "organization's";
  if (pace === undefined) return limit.toLocaleString("en");
  if (pace === 0) return [limit.toLocaleString("en"), element("br"), element("span", { class: "quiet" }, "no traffic")];
  const percent = Math.min((pace / limit) * 100, 100);
  return [
    limit.toLocaleString("en"),
    element("br"),
    element("span", { class: "quiet" }, percent < 0.1 ? "under 0.1 % used" : `up to ${+percent.toFixed(1)} % used`),
  ];
}

// No traffic is no rate of 0: whether a limit holds was not tried.
function traffic({ requests, pace }) {
  const when = "in the hour of the last look and the hour before it";
  if (requests === undefined) return "Requests: not visible in OpenAI's usage.";
  if (requests === 0) return `No traffic ${when}.`;
  const average = pace && `, on average ${pace.toLocaleString("en", { maximumFractionDigits: 2 })} a minute`;
  return `Requests ${when}: ${requests.toLocaleString("en")}${average ?? ""}.`;
}

function limitsSection(tenant) {
  const said = traffic(tenant);
  if (!tenant.models) return [element("p", null, said), element("p", { class: "quiet" }, "No models are declared.")];
  const heads = ["Model", "Requests a minute", "Tokens a minute", "Ends"];
  const rows = tenant.models
    .map((number) => FACTS.models[number])
    .map((model) =>
      element(
        "tr",
        null,
        element(
          "th",
          { scope: "row" },
          name(model.model),
          model.default ? [" ", element("span", { class: "tag" }, "default")] : null,
        ),
        [use(tenant.pace, model.requests_per_minute), use(undefined, model.tokens_per_minute), ending(model)].map(
          (cell, column) => element("td", { "data-head": heads[column + 1] }, element("span", null, cell)),
        ),
      ),
    );
  return [
    element("p", null, said),
    element(
      "table",
      { class: "stacked" },
      element(
        "thead",
        null,
        element(
          "tr",
          null,
          heads.map((text) => element("th", { scope: "col" }, text)),
        ),
      ),
      element("tbody", null, rows),
    ),
  ];
}

function tenantView(tenant) {
  const heading = element("h1", { tabindex: -1 }, name(tenant.name ?? tenant.slug));
  const troubles = tenant.troubles ?? [];
  return element(
    "main",
    null,
    element("nav", { "aria-label": "Back" }, element("a", { href: "#/", class: "back" }, "← All tenants")),
    element(
      "div",
      { class: "title" },
      heading,
      element("p", { class: "quiet" }, element("code", null, tenant.slug)),
      state(tenant),
    ),
    troubles.length || tenant.through !== undefined
      ? section(
          "What is wrong",
          tenant.through !== undefined
            ? element(
                "p",
                null,
                prose(sentence(tenant.through)),
                ". This concerns more than this tenant: see the top of ",
                element("a", { href: "#/" }, "all tenants"),
                ".",
              )
            : null,
          troubles.length
            ? element(
                "ul",
                { class: "troubles" },
                troubles.map((trouble) => troubleOf(trouble, "h3")),
              )
            : null,
        )
      : null,
    element(
      "div",
      { class: "panels" },
      section("Key", tenant.keyless ? keyless() : keySection(tenant.key)),
      section("Spend", spendSection(tenant.spend)),
      section("Rate limits and models", limitsSection(tenant)),
      section("About", about(tenant)),
    ),
  );
}
