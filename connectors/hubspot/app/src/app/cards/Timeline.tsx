import { Accordion, List, Text } from "@hubspot/ui-extensions";
import { instantText } from "./clock.ts";
import type { ReadyCard } from "./document.ts";

interface TimelineProps {
  readonly card: ReadyCard;
  readonly wide: boolean;
  readonly locale: string | undefined;
}

/** What every tool said and what became of it, newest first. */
export function Timeline({ card, wide, locale }: TimelineProps) {
  if (card.timeline.length === 0) return <Text>Nothing has happened yet.</Text>;
  return (
    <Accordion title={`What happened (${card.timeline.length + card.earlier})`} defaultOpen={wide} size="sm">
      <List variant="unordered">
        {card.timeline.map((moment) => (
          <Text key={moment.id}>
            {instantText(moment.at, locale)}: {moment.what} ({moment.source})
          </Text>
        ))}
      </List>
      {card.earlier === 0 ? null : <Text variant="microcopy">And {card.earlier} earlier.</Text>}
    </Accordion>
  );
}
