// What stands beside the picture: the thing or link that is chosen, with what can be done to it.

import { Fragment, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Entity, LinkDetail, Passage, RelationCount } from "../types.ts";
import type { GraphController } from "./controller.ts";
import { linkKey } from "./model.ts";
import { BasisLine, ClassMark, className } from "./symbol.tsx";

/** Returns the address of the page about a thing; null where there is none to go to. */
export type AddressOf = (entity: Entity) => string | null;

interface Props {
  controller: GraphController;
  addressOf: AddressOf;
  pin: (node: string) => void;
  /** Changes whenever the panel is asked for by key or menu, to take the focus. */
  asked: number;
}

export function SelectionPanel(props: Props): JSX.Element {
  const { nodes, link } = props.controller.selection;
  if (link) return <LinkPanel key={link} {...props} link={link} />;
  const [first] = nodes;
  if (first === undefined) return <NothingChosen />;
  return nodes.size > 1 ? <ManyPanel {...props} nodes={[...nodes]} /> : <NodePanel key={first} {...props} node={first} />;
}

function NothingChosen(): JSX.Element {
  return (
    <div class="hint">
      <p>Choose a thing or a link to see what is known of it.</p>
      <ul>
        <li>Double-click a thing to open what it is linked to.</li>
        <li>Drag it to pin it in place.</li>
        <li>
          Keys: arrows go from thing to thing, <kbd>Enter</kbd> opens its menu, <kbd>e</kbd> expands, <kbd>c</kbd> collapses,{" "}
          <kbd>p</kbd> pins, <kbd>h</kbd> hides, <kbd>/</kbd> finds, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom.
        </li>
      </ul>
    </div>
  );
}

function NodePanel({ controller, addressOf, pin, node, asked }: Props & { node: string }): JSX.Element {
  const [relations, setRelations] = useState<RelationCount[] | null>(null);
  const first = useRef<HTMLElement>(null);
  useEffect(() => {
    let here = true;
    void controller.relations(node).then((found) => here && setRelations(found));
    return () => void (here = false);
  }, [node]);
  useEffect(() => {
    if (asked > 0) (first.current?.querySelector("button:not(:disabled)") as HTMLElement | null)?.focus();
  }, [asked, relations]);
  const entity = controller.pool.entity(node);
  const address = addressOf(entity);
  return (
    <section class="chosen" aria-label={entity.label}>
      <p class="kind">
        <ClassMark type={entity.type} /> {className(entity.type)}
      </p>
      <h3>{address ? <a href={address}>{entity.label}</a> : entity.label}</h3>
      <div class="actions">
        <button type="button" onClick={() => pin(node)}>
          {controller.shown.pins.has(node) ? "Unpin" : "Pin"}
        </button>
        <button type="button" onClick={() => controller.take({ op: "hide", nodes: [node] })}>
          Hide
        </button>
        <button
          type="button"
          disabled={!controller.isOpen(node)}
          onClick={() => controller.take({ op: "collapse", node })}
        >
          Collapse
        </button>
      </div>
      <h4 id="expand-heading">Expand</h4>
      {relations === null ? (
        <p class="quiet">Counting links…</p>
      ) : relations.length === 0 ? (
        <p class="quiet">Nothing is linked to it.</p>
      ) : (
        <ul class="relations" ref={first as never} aria-labelledby="expand-heading">
          {relations.map((relation) => (
            <RelationRow key={relation.link + relation.direction} {...{ controller, node, relation }} />
          ))}
        </ul>
      )}
    </section>
  );
}

function RelationRow({
  controller,
  node,
  relation,
}: {
  controller: GraphController;
  node: string;
  relation: RelationCount;
}): JSX.Element {
  const { link, label, direction, count } = relation;
  const open = Math.min(controller.opened(node, link, direction), count);
  const away = direction === "forward";
  const words = away ? `${label} →` : `← ${label}`;
  const said = away ? `links “${label}” from here` : `links “${label}” to here`;
  return (
    <li>
      <button
        type="button"
        disabled={open >= count}
        aria-label={`Open ${count - open} ${said}`}
        onClick={() => void controller.expand(node, link, direction)}
      >
        <span class="words">{words}</span>
        <span class="count">{open > 0 ? `${open} of ${count}` : count}</span>
      </button>
    </li>
  );
}

function ManyPanel({ controller, nodes }: Props & { nodes: string[] }): JSX.Element {
  return (
    <section class="chosen" aria-label={`${nodes.length} things`}>
      <h3>{nodes.length} things</h3>
      <div class="actions">
        <button type="button" onClick={() => controller.take({ op: "hide", nodes })}>
          Hide them
        </button>
        <button type="button" onClick={() => controller.take({ op: "keep", nodes })}>
          Keep only them
        </button>
      </div>
      <ul class="plain">
        {nodes.slice(0, 60).map((iri) => {
          const entity = controller.pool.entity(iri);
          return (
            <li key={iri}>
              <button type="button" class="as-link" onClick={() => controller.select([iri])}>
                <ClassMark type={entity.type} /> {entity.label}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function LinkPanel({ controller, addressOf, link }: Props & { link: string }): JSX.Element {
  const [detail, setDetail] = useState<LinkDetail | string | null>(null);
  useEffect(() => {
    let here = true;
    controller.linkDetail(link).then(
      (found) => here && setDetail(found),
      (problem: Error) => here && setDetail(problem.message),
    );
    return () => void (here = false);
  }, [link]);
  const plain = controller.pool.links.get(link);
  if (!plain) return <NothingChosen />;
  const [from, to] = [controller.pool.entity(plain.from), controller.pool.entity(plain.to)];
  return (
    <section class="chosen" aria-label="The chosen link">
      <p class="kind">
        <BasisLine basis={plain.basis} /> {plain.basis}
      </p>
      <h3 class="triple">
        <Name entity={from} addressOf={addressOf} /> <span class="quiet">{plain.label}</span>{" "}
        <Name entity={to} addressOf={addressOf} />
      </h3>
      {detail === null && <p class="quiet">Looking up who says so…</p>}
      {typeof detail === "string" && <p class="error">{detail}</p>}
      {detail !== null && typeof detail !== "string" && <Grounds detail={detail} addressOf={addressOf} />}
    </section>
  );
}

function Name({ entity, addressOf }: { entity: Entity; addressOf: AddressOf }): JSX.Element {
  const address = addressOf(entity);
  return address ? <a href={address}>{entity.label}</a> : <span>{entity.label}</span>;
}

/** Who says it, the passages, and the words where the text is held. */
export function Grounds({
  detail,
  addressOf,
}: {
  detail: Pick<LinkDetail, "sentence" | "evidence" | "origins" | "entities">;
  addressOf: AddressOf;
}): JSX.Element {
  const called = new Map(detail.entities.map((entity) => [entity.iri, entity]));
  const named = (iri: string): JSX.Element => {
    const entity = called.get(iri);
    return entity ? <Name entity={entity} addressOf={addressOf} /> : <code>{iri}</code>;
  };
  return (
    <Fragment>
      <p class="sentence">{detail.sentence}</p>
      {detail.origins.length > 0 && (
        <p class="origins">
          Stated in{" "}
          {detail.origins.map((iri, i) => (
            <Fragment key={iri}>
              {i > 0 && ", "}
              {named(iri)}
            </Fragment>
          ))}
        </p>
      )}
      <Passages passages={detail.evidence} named={named} />
    </Fragment>
  );
}

export function Passages({
  passages,
  named,
}: {
  passages: readonly Passage[];
  named: (iri: string) => JSX.Element;
}): JSX.Element {
  if (passages.length === 0) return <p class="quiet">No passage is recorded for it.</p>;
  return (
    <Fragment>
      {passages.map((passage) => (
        <figure class="passage" key={passage.passage}>
          {passage.quote === null ? (
            <p class="quiet">The text is not held here.</p>
          ) : (
            <blockquote>{passage.quote}</blockquote>
          )}
          <figcaption>
            {named(passage.document)}, characters {passage.start} to {passage.end}
          </figcaption>
        </figure>
      ))}
    </Fragment>
  );
}

const MOST_LISTED = 250;

/** The picture in words: every thing that is drawn, and under it its links. */
export function ListPanel({ controller }: { controller: GraphController }): JSX.Element {
  const { nodes, links, groups } = controller.shown;
  const [open, setOpen] = useState<string | null>(null);
  const ordered = [...nodes].sort((a, b) => (a.type ?? "").localeCompare(b.type ?? "") || a.label.localeCompare(b.label));
  return (
    <section aria-label="What is drawn, as a list">
      <p class="quiet">
        {nodes.length} things, {links.length} links
      </p>
      <ul class="plain list">
        {ordered.slice(0, MOST_LISTED).map((node) => {
          const at = links.filter((link) => link.from === node.iri || link.to === node.iri);
          const more = groups.filter((group) => group.node === node.iri);
          const chosen = controller.selection.nodes.has(node.iri);
          return (
            <li key={node.iri}>
              <button
                type="button"
                class="as-link"
                aria-expanded={open === node.iri}
                aria-pressed={chosen}
                onClick={() => {
                  controller.select([node.iri]);
                  setOpen(open === node.iri ? null : node.iri);
                }}
              >
                <ClassMark type={node.type} /> {node.label}{" "}
                <small>
                  {className(node.type)}, {at.length} links
                </small>
              </button>
              {open === node.iri && (
                <ul class="plain nested">
                  {at.map((link) => {
                    const away = link.from === node.iri;
                    const other = controller.pool.entity(away ? link.to : link.from).label;
                    return (
                      <li key={linkKey(link)}>
                        <button type="button" class="as-link" onClick={() => controller.select([], linkKey(link))}>
                          {away ? `${link.label} → ${other}` : `← ${link.label} ${other}`} <small>{link.basis}</small>
                        </button>
                      </li>
                    );
                  })}
                  {more.map((group) => (
                    <li key={group.id}>
                      <button type="button" onClick={() => void controller.openGroup(group)}>
                        {group.left} more: {group.label}
                      </button>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          );
        })}
      </ul>
      {ordered.length > MOST_LISTED && <p class="quiet">{ordered.length - MOST_LISTED} more; filter to see them.</p>}
    </section>
  );
}
