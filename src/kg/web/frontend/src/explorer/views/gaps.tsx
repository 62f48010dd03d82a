import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../../api.ts";
import type { Entity, Passage } from "../../types.ts";
import { Passages } from "../../graph/panels.tsx";
import { ClaimList, DocumentLink, isClaim, type Claim } from "../claims.tsx";
import { Exports, queryOf } from "../exports.tsx";
import { Named, seen, Show, useCell, useLoaded } from "../pieces.tsx";
import { to } from "../route.ts";

interface Gap {
  barrier: Entity | string;
  theme: Entity | string;
  evidence: unknown;
  recommendation: unknown;
  follow_up: unknown;
}

interface GapsAnswer {
  release: string;
  results: Gap[];
  truncated: boolean;
}

type Level = "followed" | "answered" | "evidenced" | "bare";

const WORDS: Readonly<Record<Level, string>> = {
  followed: "answered and followed up",
  answered: "answered by a recommendation",
  evidenced: "evidence, but no answer",
  bare: "neither evidence nor answer",
};
const SIGNS: Readonly<Record<Level, string>> = { followed: "●", answered: "◐", evidenced: "○", bare: "×" };

const entityOf = (value: Entity | string): Entity =>
  typeof value === "string" ? { iri: value, curie: value, label: value.replace(/^.*[/:#]/, ""), type: null } : value;

const has = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));

function levelOf({ evidence, recommendation, follow_up }: Gap): Level {
  if (has(follow_up)) return "followed";
  if (has(recommendation)) return "answered";
  return has(evidence) ? "evidenced" : "bare";
}

export function Gaps({ values }: { values: URLSearchParams }): JSX.Element {
  const found = useLoaded(() => get<GapsAnswer>("/api/gaps"), []);
  useEffect(() => void (document.title = "Gaps · Policy evidence"), []);
  return (
    <section class="card">
      <Show of={found}>{(answer) => <Matrix answer={answer} first={values.get("cell") ?? ""} />}</Show>
    </section>
  );
}

function Matrix({ answer, first }: { answer: GapsAnswer; first: string }): JSX.Element {
  const { results } = answer;
  const [chosen, choose] = useCell(results, ({ barrier, theme }) => `${entityOf(barrier).curie} ${entityOf(theme).curie}`, first);
  const drawn = useRef<HTMLDivElement>(null);
  const barriers = distinct(results.map((gap) => entityOf(gap.barrier)));
  const themes = distinct(results.map((gap) => entityOf(gap.theme)));
  const at = new Map(results.map((gap) => [`${entityOf(gap.barrier).iri} ${entityOf(gap.theme).iri}`, gap]));
  const csv = [
    ["barrier", "theme", "evidence", "recommendation", "follow_up"],
    ...results.map((gap) => [
      entityOf(gap.barrier).iri,
      entityOf(gap.theme).iri,
      ...[gap.evidence, gap.recommendation, gap.follow_up].map((value) => String(has(value))),
    ]),
  ];
  const sparql = queryOf("gaps-of-barriers");
  return (
    <div ref={drawn}>
      <div class="view-head">
        <h1>Gaps: barriers by theme</h1>
        <Exports name="gaps" title="Gaps" release={answer.release} json={answer} rows={csv} {...{ sparql, drawn }} />
      </div>
      <p class="keys">
        {(Object.keys(WORDS) as Level[]).map((level) => (
          <span key={level}>
            <span class={`cell ${level}`} aria-hidden="true">
              {SIGNS[level]}
            </span>{" "}
            {WORDS[level]}
          </span>
        ))}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Barriers by theme">
        <table class="matrix">
          <thead>
            <tr>
              <td />
              {themes.map((theme) => (
                <th scope="col" key={theme.iri}>
                  <a href={to("entity", { entity: theme.curie })}>{theme.label}</a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {barriers.map((barrier) => (
              <tr key={barrier.iri}>
                <th scope="row">
                  <a href={to("entity", { entity: barrier.curie })}>{barrier.label}</a>
                </th>
                {themes.map((theme) => {
                  const gap = at.get(`${barrier.iri} ${theme.iri}`);
                  if (!gap) return <td key={theme.iri} />;
                  const level = levelOf(gap);
                  return (
                    <td key={theme.iri}>
                      <button
                        type="button"
                        class={`cell ${level}`}
                        aria-pressed={gap === chosen}
                        aria-label={`${barrier.label}, ${theme.label}: ${WORDS[level]}`}
                        title={`${barrier.label} × ${theme.label}: ${WORDS[level]}`}
                        onClick={() => choose(gap)}
                      >
                        {SIGNS[level]}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && <Chosen key={`${entityOf(chosen.barrier).iri} ${entityOf(chosen.theme).iri}`} gap={chosen} />}
    </div>
  );
}

function Chosen({ gap }: { gap: Gap }): JSX.Element {
  const [barrier, theme] = [entityOf(gap.barrier), entityOf(gap.theme)];
  const found = useLoaded(() => get<{ results: Passage[] }>("/api/evidence", { item: barrier.iri }), [barrier.iri]);
  const [answers, later] = [claimsOf(gap.recommendation), claimsOf(gap.follow_up)];
  return (
    <section class="gap" aria-live="polite">
      <h2 ref={seen} class="opened">
        {barrier.label} × {theme.label}
      </h2>
      <p>
        {WORDS[levelOf(gap)]}. <Named entity={barrier} kind={false} /> ·{" "}
        <a href={to("connect", { from: barrier.curie, to: theme.curie })}>How they are connected</a>
      </p>
      {answers.length > 0 && <h3>Answered by</h3>}
      <ClaimList claims={answers} />
      {later.length > 0 && <h3>Followed up by</h3>}
      <ClaimList claims={later} />
      <h3>Passages of the barrier</h3>
      <Show of={found}>{({ results }) => <Passages passages={results} named={(iri) => <DocumentLink iri={iri} />} />}</Show>
    </section>
  );
}

function claimsOf(value: unknown): Claim[] {
  return Array.isArray(value) ? value.filter(isClaim) : [];
}

function distinct(entities: readonly Entity[]): Entity[] {
  const found = new Map(entities.map((entity) => [entity.iri, entity]));
  return [...found.values()].sort((a, b) => a.label.localeCompare(b.label));
}
