// The whole fleet, what needs a person first; and the way between it and one tenant, by the address's fragment.

const OLD_MINUTES = 60;

function address(tenant) {
  return `#/${encodeURIComponent(tenant.cell)}/${encodeURIComponent(tenant.slug)}`;
}

// A tenant with something to say is a card, the others are small tiles: 2,000 of those still fit.
function tile(tenant) {
  const [trouble] = tenant.troubles ?? [];
  const more = (tenant.troubles?.length ?? 0) - 1;
  const words = element(
    "span",
    { class: "state-word" },
    element("span", { class: "unseen" }, `${STATES[tenant.severity].word}: `),
    name(tenant.state),
    trouble?.since === undefined ? null : ` · ${lasted(trouble)}`,
    more > 0 ? ` · ${more} more` : null,
    FACTS.cells.length > 1 ? [" · ", name(tenant.cell)] : null,
  );
  const link = element(
    "a",
    { href: address(tenant), class: tenant.severity },
    shape(tenant.severity),
    element("span", { class: "who" }, name(tenant.name ?? tenant.slug)),
    words,
    trouble ? element("span", { class: "why" }, name(sentence(trouble.sentence))) : null,
    trouble?.command ? element("span", { class: "why" }, element("code", null, trouble.command)) : null,
  );
  return element("li", null, link);
}

function words(tenant) {
  return `${tenant.name ?? ""}\n${tenant.slug}\n${tenant.cell}\n${tenant.state}`.toLowerCase();
}

function group(severity, tenants) {
  const tiles = tenants.map((tenant) => ({ text: words(tenant), item: tile(tenant), card: Boolean(tenant.troubles) }));
  const lists = [
    ["grid cards", tiles.filter(({ card }) => card)],
    ["grid", tiles.filter(({ card }) => !card)],
  ].filter(([, members]) => members.length);
  const count = element("span", { class: "count" });
  const made = element(
    "section",
    { class: `group ${severity}` },
    element(
      "h2",
      null,
      shape(severity),
      STATES[severity].word,
      " ",
      count,
      element("span", { class: "quiet says" }, STATES[severity].says),
    ),
    lists.map(([className, members]) =>
      element(
        "ul",
        { class: className },
        members.map(({ item }) => item),
      ),
    ),
  );
  // Returns how many are shown.
  function show(wanted, only) {
    let shown = 0;
    for (const { text, item } of tiles) {
      item.hidden = !text.includes(wanted);
      shown += item.hidden ? 0 : 1;
    }
    made.hidden = shown === 0 || (only !== null && only !== severity);
    count.textContent = shown.toLocaleString("en");
    return made.hidden ? 0 : shown;
  }
  return { made, show };
}

function cellNotes(cell) {
  const looked =
    cell.health_as_of === undefined
      ? "the health function has not looked, as far as is known"
      : ["the health function looked at ", moment(cell.health_as_of)];
  return element("li", null, name(cell.name), ": ", looked);
}

function fleetView() {
  const groups = Object.keys(STATES).map((severity) => [
    severity,
    FACTS.tenants.filter((tenant) => tenant.severity === severity),
  ]);
  const made = groups.filter(([, tenants]) => tenants.length).map(([severity, tenants]) => group(severity, tenants));
  const said = element("p", { role: "status", class: "quiet" });
  const search = element("input", {
    type: "search",
    id: "search",
    autocomplete: "off",
    spellcheck: "false",
    oninput: update,
  });
  const buttons = groups.map(([severity, tenants]) =>
    element(
      "button",
      {
        type: "button",
        class: severity,
        "aria-pressed": "false",
        disabled: !tenants.length,
        onclick: choose(severity),
      },
      shape(severity),
      element("strong", null, tenants.length.toLocaleString("en")),
      " ",
      STATES[severity].word,
    ),
  );
  let only = null;

  function choose(severity) {
    return () => {
      only = only === severity ? null : severity;
      Object.keys(STATES).forEach((each, number) =>
        buttons[number].setAttribute("aria-pressed", String(each === only)),
      );
      update();
    };
  }

  function update() {
    const wanted = search.value.trim().toLowerCase();
    const shown = made.reduce((sum, { show }) => sum + show(wanted, only), 0);
    said.textContent =
      wanted || only
        ? `${shown.toLocaleString("en")} of ${FACTS.tenants.length.toLocaleString("en")} tenants shown`
        : "";
  }

  update();
  const troubles = FACTS.cells.flatMap((cell) => cell.troubles.map((trouble) => [cell, trouble]));
  return element(
    "main",
    null,
    element("h1", { tabindex: -1 }, FACTS.headline),
    element("p", { class: "quiet" }, "As of ", moment(FACTS.as_of), ". All times are UTC."),
    troubles.length
      ? element(
          "section",
          { class: "of-cells" },
          element("h2", null, "Whole cells and organizations"),
          element(
            "ul",
            { class: "troubles" },
            troubles.map(([cell, trouble]) => {
              const item = troubleOf(trouble, "h3");
              item.querySelector("h3").append(" ", element("span", { class: "tag" }, name(cell.name)));
              return item;
            }),
          ),
        )
      : null,
    FACTS.tenants.length
      ? element(
          "search",
          null,
          element("div", { class: "states", role: "group", "aria-label": "Show only one state" }, buttons),
          element("div", { class: "find" }, element("label", { for: "search" }, "Find a tenant"), search),
          said,
        )
      : null,
    made.map((one) => one.made),
    element("footer", { class: "quiet" }, element("ul", null, FACTS.cells.map(cellNotes))),
  );
}

const age = element("div", { role: "alert" });

// A page that was written long ago, or stands open since then, must not look like today's.
function tellAge() {
  const minutes = Math.floor(Date.now() / 60000) - FACTS.as_of;
  // In whole hours, so that a screen reader is not interrupted each minute.
  const told = minutes < OLD_MINUTES ? "" : `This page is ${span(minutes - (minutes % 60))} old. Write it again: `;
  if (age.dataset.told === told) return;
  age.dataset.told = told;
  const line = [shape("unknown"), element("span", null, told, element("code", null, "myflux-keys status --html FILE"))];
  age.replaceChildren(...(told ? [element("p", { class: "old" }, line)] : []));
}

let fleet = null;
let left = null;

function show(event) {
  const tenant = FACTS.tenants.find((each) => address(each) === location.hash);
  if (!fleet) fleet = fleetView();
  const view = tenant ? tenantView(tenant) : fleet;
  document.querySelector("main").replaceWith(view);
  document.title = `MyFlux Keys: ${tenant ? (tenant.name ?? tenant.slug) : FACTS.headline}`;
  // On the way back, where the reader left; on the way in, at the top. Not at the first look: a page begins at its top.
  const target = tenant
    ? view.querySelector("h1")
    : [...view.querySelectorAll("a")].find((link) => link.getAttribute("href") === left);
  if (event) (target ?? view.querySelector("h1")).focus();
  if (tenant) scrollTo(0, 0);
  left = tenant ? address(tenant) : null;
}

document.body.prepend(
  shapes(),
  element("header", null, element("a", { href: "#/", class: "brand" }, "MyFlux Keys"), age),
  element("main"),
);
addEventListener("hashchange", show);
tellAge();
setInterval(tellAge, 60000);
show(null);
