import { DescriptionList, DescriptionListItem, Heading, List, StatusTag, Text } from "@hubspot/ui-extensions";
import { useEffect, useState } from "react";
import { instantText, leftOf } from "./clock.ts";
import type { ReadyCard } from "./document.ts";

type FollowUpOf = NonNullable<ReadyCard["follow_up"]>;

const states: Readonly<
  Record<FollowUpOf["state"], { readonly label: string; readonly variant: "info" | "success" | "default" | "warning" }>
> = {
  open: { label: "Open", variant: "info" },
  done: { label: "Done", variant: "success" },
  cancelled: { label: "Cancelled", variant: "default" },
  parked: { label: "Waiting for a person", variant: "warning" },
};

interface FollowUpProps {
  readonly card: ReadyCard;
  readonly receivedAtMs: number;
  readonly locale: string | undefined;
}

/** The promise: what, who, until when, and the clock that runs. */
export function FollowUp({ card, receivedAtMs, locale }: FollowUpProps) {
  const followUp = card.follow_up;
  if (followUp === null) return <Text>There is no follow-up.</Text>;
  const { label, variant } = states[followUp.state];
  return (
    <>
      <Heading>{followUp.title}</Heading>
      <StatusTag variant={variant}>{label}</StatusTag>
      {followUp.sla === null ? null : (
        <Clock sla={followUp.sla} madeAtMs={Date.parse(card.made_at)} receivedAtMs={receivedAtMs} />
      )}
      <DescriptionList direction="row">
        <DescriptionListItem label="With">
          <Text>{followUp.holder}</Text>
        </DescriptionListItem>
        <DescriptionListItem label="Due">
          <Text>{instantText(followUp.due_at, locale)}</Text>
        </DescriptionListItem>
        <DescriptionListItem label="Priority">
          <Text>{followUp.priority}</Text>
        </DescriptionListItem>
      </DescriptionList>
      {followUp.reasons.length === 0 ? null : (
        <List variant="unordered">
          {followUp.reasons.map((reason) => (
            <Text key={reason}>{reason}</Text>
          ))}
        </List>
      )}
    </>
  );
}

interface ClockProps {
  readonly sla: NonNullable<FollowUpOf["sla"]>;
  readonly madeAtMs: number;
  readonly receivedAtMs: number;
}

/** Counts down by itself. Baton's clock is carried on by the time that passed here, so a wrong clock here does no harm. */
function Clock({ sla, madeAtMs, receivedAtMs }: ClockProps) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const left = leftOf(sla, madeAtMs, madeAtMs + Math.max(0, nowMs - receivedAtMs));
  const { changesAfterMs } = left;
  useEffect(() => {
    if (changesAfterMs === null) return;
    const timer = setInterval(() => setNowMs(Date.now()), changesAfterMs);
    return () => clearInterval(timer);
  }, [changesAfterMs]);
  return <StatusTag variant={left.tone}>{left.text}</StatusTag>;
}
