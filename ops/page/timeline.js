// The life of a tenant's key: a bar from its minting to its end, and below it the overlap of the key before.

const LIFE = { live: 34, before: 72, bar: 14 };

// One row an event, with the sign that the drawing uses for it.
function events(key) {
  return [
    ["minted", "Minted", key.minted],
    ["promoted", "Promoted", key.promoted],
    ["overlap", "Previous key ends", key.overlap_ends],
    ["rotation", "Next rotation", key.next_rotation],
    ["expires", "Expires", key.expires],
  ];
}

function sign(kind, x, y) {
  if (kind === "rotation")
    return drawing(
      "svg",
      { x, y, overflow: "visible", class: "sign rotation" },
      drawing("path", { d: "M0-7L7 0 0 7-7 0z" }),
    );
  if (kind === "promoted")
    return drawing(
      "svg",
      { x, y, overflow: "visible", class: "sign promoted" },
      drawing("path", { d: "M0-11V11" }),
      drawing("circle", { r: 4.5 }),
    );
  if (kind === "overlap")
    return drawing("svg", { x, y, overflow: "visible", class: "sign overlap" }, drawing("path", { d: "M0-7V7" }));
  return drawing("svg", { x, y, overflow: "visible", class: `sign ${kind}` }, drawing("path", { d: "M0-11V11" }));
}

function timeline(key) {
  const known = events(key)
    .map(([, , at]) => at)
    .filter((at) => at !== undefined);
  if (!known.length)
    return element(
      "p",
      { class: "quiet" },
      "No time of this key is known: it was never minted, or nothing that knows was read.",
    );
  const from = Math.min(...known, FACTS.as_of),
    to = Math.max(...known, FACTS.as_of);
  const at = (moment) => 1 + ((moment - from) / (to - from || 1)) * 98;
  const bar = (className, start, end, y) =>
    drawing("rect", {
      class: className,
      x: `${at(start)}%`,
      width: `${Math.max(at(end) - at(start), 0)}%`,
      y: y - LIFE.bar / 2,
      height: LIFE.bar,
      rx: 3,
    });
  const start = key.minted ?? key.promoted,
    end = key.expires,
    now = FACTS.as_of;
  const parts = [];
  if (start !== undefined && end !== undefined) {
    parts.push(bar("life left", start, end, LIFE.live));
    if (now > start) parts.push(bar("life gone", start, Math.min(now, end), LIFE.live));
  }
  if (key.overlap_ends !== undefined)
    parts.push(bar("life before", key.promoted ?? from, key.overlap_ends, LIFE.before));
  for (const [kind, , when] of events(key))
    if (when !== undefined) parts.push(sign(kind, `${at(when)}%`, kind === "overlap" ? LIFE.before : LIFE.live));
  const height = key.overlap_ends === undefined ? 76 : 112;
  const near = at(now) < 15 ? "start" : at(now) > 85 ? "end" : "middle";
  return drawing(
    "svg",
    { class: "timeline", height, "aria-hidden": "true" },
    parts,
    drawing("line", { class: "now", x1: `${at(now)}%`, x2: `${at(now)}%`, y1: 16, y2: height - 22 }),
    drawing("text", { class: "now-text", x: `${at(now)}%`, y: 11, "text-anchor": near }, "as of"),
    key.overlap_ends === undefined
      ? null
      : drawing("text", { x: `${at(key.promoted ?? from)}%`, y: LIFE.before - 11 }, "the key before it"),
    drawing("text", { x: "1%", y: height - 6 }, day(from)),
    drawing("text", { x: "99%", y: height - 6, "text-anchor": "end" }, day(to)),
  );
}

function keySection(key) {
  if (!key) return timeline({});
  const rows = events(key).map(([kind, word, when]) =>
    element(
      "div",
      null,
      element(
        "dt",
        null,
        drawing("svg", { class: "timeline-key", width: 18, height: 24, "aria-hidden": "true" }, sign(kind, 9, 12)),
        word,
      ),
      element(
        "dd",
        null,
        when === undefined
          ? element("span", { class: "quiet" }, kind === "overlap" ? "none" : "not known")
          : [
              moment(when),
              element(
                "span",
                { class: "quiet" },
                ` ${kind === "rotation" && when < FACTS.as_of ? `${span(FACTS.as_of - when)} overdue` : relative(when)}`,
              ),
            ],
      ),
    ),
  );
  return [
    timeline(key),
    element(
      "dl",
      { class: "facts" },
      rows,
      key.pending
        ? element(
            "div",
            null,
            element("dt", null, "Version in the making"),
            element("dd", null, element("code", null, key.pending)),
          )
        : null,
    ),
  ];
}
