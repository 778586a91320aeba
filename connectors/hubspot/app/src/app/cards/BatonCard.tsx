/**
 * Baton's card on a contact or a company: the same in the sidebar (compact) and in a tab (wide). It shows the document that Baton
 * made (`document.ts`) and holds no rules: what is allowed, in which order and in which words stands in the document.
 */
import {
  Alert,
  Box,
  Button,
  Divider,
  EmptyState,
  ErrorState,
  Flex,
  LoadingSpinner,
  Text,
} from "@hubspot/ui-extensions";
import { pressOf } from "./asked.ts";
import { Buttons } from "./Buttons.tsx";
import { instantText } from "./clock.ts";
import type { Card, Press, ReadyCard } from "./document.ts";
import type { Door, Problem } from "./door.ts";
import { FollowUp } from "./FollowUp.tsx";
import { Duplicates, Related } from "./People.tsx";
import { Timeline } from "./Timeline.tsx";
import { type Pressing, type Told, type UseCard, useCard } from "./use-card.ts";
import { Why } from "./Why.tsx";

export type Layout = "compact" | "wide";

export interface BatonCardProps {
  readonly layout: Layout;
  /** Stays the same object while the card is shown. */
  readonly door: Door;
  /** Of the viewer, e.g. `en-us`. */
  readonly locale?: string | undefined;
  /** Tells the viewer at once what became of a press, wherever they look. */
  readonly tell: (told: Told) => void;
  /** A new id for each press. */
  readonly newRequest: () => string;
}

export function BatonCard({ layout, door, locale, tell, newRequest }: BatonCardProps) {
  const card = useCard(door, tell);
  const { view } = card;
  if (view.state === "loading") return <LoadingSpinner label="Asking Baton" showLabel layout="centered" />;
  if (view.state === "failed") return <Failed problem={view.problem} looking={card.looking} onLook={card.look} />;
  return (
    <Flex direction="column" gap="medium">
      <Became pressing={card.pressing} onPress={card.press} onLook={card.look} />
      {view.card.state === "empty" ? (
        <EmptyState title="Nothing yet" layout="vertical">
          <Text>{view.card.text}</Text>
        </EmptyState>
      ) : (
        <Ready
          layout={layout}
          card={view.card}
          receivedAtMs={view.receivedAtMs}
          locale={locale}
          pressing={card.pressing}
          onPress={card.press}
          newRequest={newRequest}
        />
      )}
      <Foot card={view.card} looking={card.looking} locale={locale} onLook={card.look} />
    </Flex>
  );
}

const failures: Readonly<
  Record<Problem["kind"], { readonly title: string; readonly type: "error" | "lock" | "support" }>
> = {
  not_allowed: { title: "You may not see this", type: "lock" },
  not_connected: { title: "Baton is not connected", type: "support" },
  refused: { title: "Baton could not show this", type: "error" },
  again: { title: "Baton could not be asked", type: "error" },
};

interface FailedProps {
  readonly problem: Problem;
  readonly looking: boolean;
  readonly onLook: () => void;
}

function Failed({ problem, looking, onLook }: FailedProps) {
  const { title, type } = failures[problem.kind];
  return (
    <ErrorState title={title} type={type}>
      <Text>{problem.detail}</Text>
      <Button disabled={looking} onClick={onLook}>
        {looking ? "Asking" : "Try again"}
      </Button>
    </ErrorState>
  );
}

interface BecameProps {
  readonly pressing: Pressing;
  readonly onPress: (press: Press) => void;
  readonly onLook: () => void;
}

/** What became of the last press. Stands on top, where it is read first. */
function Became({ pressing, onPress, onLook }: BecameProps) {
  switch (pressing.state) {
    case "idle":
      return null;
    case "sending":
      return <LoadingSpinner label="Telling Baton" showLabel />;
    case "done":
      return (
        <Alert title={pressing.underWay ? "Under way" : "Done"} variant={pressing.underWay ? "info" : "success"}>
          {pressing.text}
        </Alert>
      );
    case "refused":
      return (
        <Alert title="Not done" variant="danger">
          {pressing.problem.detail}
        </Alert>
      );
    case "unsettled":
      return (
        <>
          <Alert title="It is not known whether this was done" variant="warning">
            {pressing.problem.detail} Sending it again does it once at most.
          </Alert>
          <Flex direction="row" gap="small" wrap>
            <Button size="sm" variant="primary" onClick={() => onPress(pressing.press)}>
              Send again
            </Button>
            <Button size="sm" onClick={onLook}>
              Look what became of it
            </Button>
          </Flex>
        </>
      );
  }
}

interface ReadyProps {
  readonly layout: Layout;
  readonly card: ReadyCard;
  readonly receivedAtMs: number;
  readonly locale: string | undefined;
  readonly pressing: Pressing;
  readonly onPress: (press: Press) => void;
  readonly newRequest: () => string;
}

/** First why and what to do, then whom it may be about, then what has happened. */
function Ready({ layout, card, receivedAtMs, locale, pressing, onPress, newRequest }: ReadyProps) {
  const wide = layout === "wide";
  const now = (
    <Flex direction="column" gap="medium">
      <Why card={card} wide={wide} locale={locale} />
      <FollowUp card={card} receivedAtMs={receivedAtMs} locale={locale} />
      <Buttons
        // A new document has new buttons: what was half filled in belongs to the old one.
        key={card.made_at}
        card={card}
        locale={locale}
        blocked={pressing.state === "sending" || pressing.state === "unsettled"}
        onPress={(button, fields) => onPress(pressOf(card, button, fields, newRequest()))}
      />
    </Flex>
  );
  const people = (
    <>
      <Duplicates card={card} wide={wide} />
      <Related card={card} wide={wide} />
    </>
  );
  const past = <Timeline card={card} wide={wide} locale={locale} />;
  return wide ? (
    <Flex direction="row" gap="large" wrap>
      <Box flex={1}>{now}</Box>
      <Box flex={1}>
        <Flex direction="column" gap="medium">
          {people}
          {past}
        </Flex>
      </Box>
    </Flex>
  ) : (
    <>
      {now}
      {people}
      {past}
    </>
  );
}

interface FootProps {
  readonly card: Card;
  readonly looking: UseCard["looking"];
  readonly locale: string | undefined;
  readonly onLook: () => void;
}

function Foot({ card, looking, locale, onLook }: FootProps) {
  return (
    <>
      <Divider />
      <Flex direction="row" gap="small" align="center" wrap>
        <Button size="xs" disabled={looking} onClick={onLook}>
          {looking ? "Asking" : "Refresh"}
        </Button>
        <Text variant="microcopy">
          As of {instantText(card.made_at, locale)}, for {card.viewer}
        </Text>
      </Flex>
    </>
  );
}
