import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { get } from "../../api.ts";
import type { Entity } from "../../types.ts";
import { ClaimList, type Claim } from "../claims.tsx";
import { Exports, queryOf } from "../exports.tsx";
import { seen, Show, useCell, useLoaded } from "../pieces.tsx";
import { to } from "../route.ts";

interface Year {
  year: string;
  state: string;
  items: number;
  barriers: number;
  origins: number;
  independent: number;
  claims: Claim[];
}

interface ThemeYears {
  theme: Entity;
  recurs: boolean;
  origins: number;
  independent: number;
  years: Year[];
}

interface TimelineAnswer {
  release: string;
  results: ThemeYears[];
  truncated: boolean;
}

export function Timeline({ values }: { values: URLSearchParams }): JSX.Element {
  const theme = values.get("theme") ?? "";
  const found = useLoaded(() => get<TimelineAnswer>("/api/timeline", { theme }), [theme]);
  useEffect(() => void (document.title = "Timeline · Policy evidence"), []);
  return (
    <section class="card">
      <h1>Timeline: which themes come back</h1>
      <Show of={found}>{(answer) => <Years answer={answer} theme={theme} first={values.get("cell") ?? ""} />}</Show>
    </section>
  );
}

function Years({ answer, theme: asked, first }: { answer: TimelineAnswer; theme: string; first: string }): JSX.Element {
  const cells = useMemo(() => answer.results.flatMap(({ theme, years }) => years.map((year) => ({ theme, year }))), [answer]);
  const [chosen, choose] = useCell(cells, ({ theme, year }) => `${theme.curie} ${year.year} ${year.state}`, first);
  const drawn = useRef<HTMLDivElement>(null);
  const years = [...new Set(answer.results.flatMap((row) => row.years.map((year) => year.year)))].sort();
  const most = Math.max(1, ...answer.results.flatMap((row) => row.years.map((year) => year.items)));
  const rows = [
    ["theme", "year", "state", "items", "barriers", "origins"],
    ...answer.results.flatMap(({ theme, years: all }) =>
      all.map((year) => [theme.iri, year.year, year.state, String(year.items), String(year.barriers), String(year.origins)]),
    ),
  ];
  const sparql = queryOf("timeline-of-themes", { theme: asked });
  return (
    <div ref={drawn}>
      <div class="view-head">
        <p class="quiet">
          A circle is as large as the number of items that name the theme in that year; a dash is silence in a later year.
        </p>
        <Exports name="timeline" title="Timeline" release={answer.release} json={answer} {...{ rows, sparql, drawn }} />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Themes by year">
        <table class="matrix years">
          <thead>
            <tr>
              <td />
              {years.map((year) => (
                <th scope="col" key={year}>
                  {year}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answer.results.map(({ theme, recurs, years: all }) => (
              <tr key={theme.iri}>
                <th scope="row">
                  <a href={to("entity", { entity: theme.curie })}>{theme.label}</a> {recurs && <small>recurs</small>}
                </th>
                {years.map((name) => (
                  <td key={name}>
                    {all
                      .filter((year) => year.year === name)
                      .map((year) => (
                        <Mark key={year.state} year={year} most={most} choose={() => choose({ theme, year })} theme={theme} />
                      ))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && (
        <section aria-live="polite">
          <h2 ref={seen} class="opened">
            {chosen.theme.label}, {chosen.year.year}: {chosen.year.items} items from {chosen.year.origins} documents
          </h2>
          <ClaimList claims={chosen.year.claims} />
        </section>
      )}
    </div>
  );
}

function Mark({ year, most, choose, theme }: { year: Year; most: number; choose: () => void; theme: Entity }): JSX.Element {
  const words = `${theme.label}, ${year.year}: ${year.state}${year.items ? `, ${year.items} items` : ""}`;
  if (year.items === 0) {
    return (
      <span title={words}>
        <span aria-hidden="true">–</span>
        <span class="unseen">{year.state}</span>
      </span>
    );
  }
  const radius = 4 + 12 * Math.sqrt(year.items / most);
  return (
    <button type="button" class="bubble" aria-label={words} title={words} onClick={choose}>
      <svg viewBox="-18 -18 36 36" width="36" height="36" aria-hidden="true">
        <circle r={radius} fill={year.state.includes("resolved") ? "#009e73" : "#0072b2"} />
        <text text-anchor="middle" dominant-baseline="central" font-size="10" fill="#fff">
          {radius > 8 ? year.items : ""}
        </text>
      </svg>
    </button>
  );
}
