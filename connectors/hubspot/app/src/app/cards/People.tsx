import { Accordion, Link, List, Text } from "@hubspot/ui-extensions";
import type { ReadyCard } from "./document.ts";

interface PeopleProps {
  readonly card: ReadyCard;
  readonly wide: boolean;
}

/** Who may be the same person. Always open: it asks for an answer. */
export function Duplicates({ card }: PeopleProps) {
  if (card.duplicates.length === 0) return null;
  return (
    <Accordion title={`Perhaps the same person (${card.duplicates.length})`} defaultOpen size="sm">
      <List variant="unordered">
        {card.duplicates.map((person) => (
          <Text key={person.lead}>
            <Name person={person} />: {person.because}
          </Text>
        ))}
      </List>
    </Accordion>
  );
}

/** Who else at the company is of interest. */
export function Related({ card, wide }: PeopleProps) {
  if (card.related.length === 0) return null;
  return (
    <Accordion title={`At the same company (${card.related.length})`} defaultOpen={wide} size="sm">
      <List variant="unordered">
        {card.related.map((person) => (
          <Text key={person.lead}>
            <Name person={person} />, score {person.score}
            {person.open_follow_up ? ", has an open follow-up" : ""}
          </Text>
        ))}
      </List>
    </Accordion>
  );
}

type Person = Pick<ReadyCard["related"][number], "name" | "email" | "job_title" | "record_url">;

function Name({ person }: { readonly person: Person }) {
  const rest = [person.job_title, person.email].filter((text) => text !== null).join(", ");
  return (
    <>
      {person.record_url === null ? person.name : <Link href={person.record_url}>{person.name}</Link>}
      {rest === "" ? "" : ` (${rest})`}
    </>
  );
}
