/** The card drawn by HubSpot's own test renderer. */
import { Button } from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import { BatonCard, type Layout } from "../src/app/cards/BatonCard.tsx";
import type { Told } from "../src/app/cards/use-card.ts";
import type { RecordingDoor } from "./documents.ts";

export function show(door: RecordingDoor, layout: Layout = "compact") {
  const renderer = createRenderer(layout === "compact" ? "crm.record.sidebar" : "crm.record.tab");
  const told: Told[] = [];
  let requests = 0;
  renderer.render(
    <BatonCard
      layout={layout}
      door={door}
      locale="en-GB"
      tell={(told_) => void told.push(told_)}
      newRequest={() => {
        requests += 1;
        return `request-${requests}`;
      }}
    />,
  );
  /** All that can be read, in order. */
  const text = () => readable(renderer.getRootNode());
  return {
    ...renderer,
    told,
    text,
    button: (label: string) => renderer.find(Button, (node) => readable(node).trim() === label),
    /** Until the card says so. */
    says: (words: string) =>
      renderer.waitFor(() => {
        if (!text().includes(words)) throw new Error(`The card does not say "${words}".`);
      }),
    /** After this much, whatever was going to happen at once has happened. */
    settled: () => new Promise((resolve) => setTimeout(resolve, 20)),
  };
}

export type Shown = ReturnType<typeof show>;

interface Readable {
  readonly childNodes?: readonly Readable[];
  readonly text?: string | null;
  readonly props?: Readonly<Record<string, unknown>>;
}

/** Titles and labels count as text: people read them as such. */
const readProps = ["title", "label", "number", "validationMessage"];

export function readable(node: Readable): string {
  const own = readProps.map((name) => node.props?.[name]).filter((value) => value !== undefined);
  const inner = node.childNodes === undefined ? [node.text ?? ""] : node.childNodes.map((child) => readable(child));
  return [...own, inner.join("")].join("\n");
}

/** Fills an input in. The renderer's types ask for the handler itself where the value goes, which is why this says it loosely. */
export function fill(input: { readonly trigger: unknown }, value: unknown, event = "onChange"): void {
  (input.trigger as (event: string, value: unknown) => void)(event, value);
}
