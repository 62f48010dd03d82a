// The graph view within the explorer: its steps in the address, its things linked to their pages.

import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { ServiceSource, vocabulary } from "../api.ts";
import { read, written } from "../graph/address.ts";
import { GraphController, type Start } from "../graph/controller.ts";
import type { Arrangement } from "../graph/layout.ts";
import type { Picture } from "../graph/picture.ts";
import { GraphView } from "../graph/view.tsx";
import type { Entity } from "../types.ts";
import { note, to } from "./route.ts";

export const addressOf = (entity: Entity): string => to("entity", { entity: entity.curie });

export function makeWorker(): Worker {
  return new Worker("/static/app/layout.js", { type: "module" });
}

export interface Board {
  controller: GraphController;
  picture: Picture | null;
}

/**
 * Returns a controller that begins with `start`, opens what `open` says, and then takes the steps
 * that the address holds; from then on the address follows it.
 */
export function useBoard(start: () => Start, open: (controller: GraphController) => Promise<void>, on: readonly unknown[]): GraphController {
  const controller = useMemo(() => new GraphController(new ServiceSource(), start()), on);
  // Before the first picture, so that no picture of a half-opened view counts as the whole.
  useLayoutEffect(() => {
    let here = true;
    let ready = false;
    const begin = async (): Promise<void> => {
      const steps = read(new URLSearchParams(location.search).get("g") ?? "");
      for (const document of (await vocabulary()).documents) {
        controller.pool.learn([document]);
        if (document.date) controller.pool.dates.set(document.iri, document.date);
      }
      await open(controller);
      controller.settle();
      if (here && steps.length > 0) await controller.replay(steps);
      ready = true;
    };
    void controller.attempt(begin);
    const forget = controller.listen(() => {
      if (here && ready) note("g", written(controller.steps));
    });
    return () => {
      here = false;
      forget();
    };
  }, [controller]);
  return controller;
}

export function Board({
  controller,
  arrangement,
  ready,
}: {
  controller: GraphController;
  arrangement?: Arrangement;
  ready: (picture: Picture) => void;
}): JSX.Element {
  return <GraphView {...{ controller, makeWorker, addressOf, ready }} {...(arrangement ? { arrangement } : {})} />;
}

export function usePicture(): [Picture | null, (picture: Picture) => void] {
  return useState<Picture | null>(null);
}
