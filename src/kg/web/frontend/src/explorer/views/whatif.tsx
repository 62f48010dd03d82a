import type { JSX } from "preact";
export function WhatIf(): JSX.Element {
  return <p />;
}
