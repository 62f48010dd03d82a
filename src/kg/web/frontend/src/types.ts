// What the API returns, as far as the front end reads it.

export type Basis = "said" | "judged" | "inferred" | "reference";
export type Direction = "forward" | "backward";

/** The bases, strongest first. */
export const BASES: readonly Basis[] = ["said", "judged", "inferred", "reference"];

export interface Entity {
  iri: string;
  curie: string;
  label: string;
  type: string | null;
}

/** A triple between two entities. */
export interface Link {
  from: string;
  link: string;
  to: string;
  label: string;
  basis: Basis;
  origins: string[];
}

/** A link seen from one of its ends. */
export interface Relation {
  link: string;
  label: string;
  /** How it reads between its ends. */
  phrase: string;
  direction: Direction;
  entity: Entity;
  basis: Basis;
  origins: string[];
}

/** All links of one kind and direction at a thing. */
export interface RelationCount {
  link: string;
  label: string;
  direction: Direction;
  count: number;
  by_basis: Partial<Record<Basis, number>>;
}

export interface Neighbours {
  release: string;
  entity: Entity;
  total: number;
  relations: RelationCount[];
  results: Relation[];
  truncated: boolean;
}

export interface Passage {
  passage: string;
  document: string;
  start: number;
  end: number;
  sha256: string;
  quote: string | null;
}

/** A link with what it rests on. */
export interface LinkDetail extends Link {
  sentence: string;
  evidence: Passage[];
  entities: Entity[];
}

export interface Subgraph {
  release: string;
  entities: Entity[];
  links: Link[];
  /** What was asked for and is not in the release. */
  unknown: string[];
  truncated: boolean;
  /** Finds the links again; empty for none. */
  sparql: string;
}

export interface Term {
  iri: string;
  curie: string;
  label: string;
  definition: string | null;
}

export interface DatedEntity extends Entity {
  date: string | null;
}

export interface Terms {
  release: string;
  prefixes: Record<string, string>;
  classes: Term[];
  properties: Term[];
  documents: DatedEntity[];
}

export interface Hop {
  from: string;
  to: string;
  link: string;
  label: string;
  direction: Direction;
  basis: Basis;
  origins?: string[];
  sentence: string;
  evidence: Passage[];
}

export interface FoundPath {
  length: number;
  score: number;
  thread: "single" | "stitched";
  origins: string[];
  nodes: Entity[];
  hops: Hop[];
  text?: string;
}

/** A link that is not there and would connect two things; `fits` says whether the ontology or the release has such links. */
export interface Missing {
  from: Entity;
  link: string;
  label: string;
  to: Entity;
  hops: number;
  fits: "ontology" | "release";
}

export interface Connections {
  release: string;
  from: Entity;
  to: Entity;
  paths: FoundPath[];
  searched: { max_hops: number; reached: number; complete: boolean };
  why_none: null | { reason: string; nearest: Entity[]; missing: null | Missing };
  truncated: boolean;
  sparql: string;
}

export interface Cell {
  value: string;
  type: "uri" | "literal" | "bnode";
  label?: string;
  datatype?: string;
  lang?: string;
}

export interface Answer {
  release: string;
  name: string;
  parameters: Record<string, unknown>;
  columns: string[];
  results: Record<string, Cell>[];
  truncated: boolean;
  sparql: string;
}

export interface QuestionParameter {
  name: string;
  type: string;
  mode: "required" | "optional" | "many";
  example: string[];
}

export interface Question {
  name: string;
  summary: string | null;
  parameters: QuestionParameter[];
  columns: { name: string; type: string }[];
}

export interface Description extends Entity {
  release: string;
  says: string | null;
  facts: { property: string; label: string; value: string }[];
  results: Relation[];
  evidence: Passage[];
  truncated: boolean;
  sparql: string;
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
  nearest?: Entity[];
  limit?: string;
  line?: number;
  column?: number;
}
