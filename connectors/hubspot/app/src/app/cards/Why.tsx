import { Accordion, Heading, List, Statistics, StatisticsItem, StatusTag, Text } from "@hubspot/ui-extensions";
import { instantText } from "./clock.ts";
import type { ReadyCard } from "./document.ts";

type Level = ReadyCard["why"]["level"];

const levels: Readonly<Record<Level, "danger" | "warning" | "info" | "default">> = {
  urgent: "danger",
  task: "warning",
  card: "info",
  watch: "default",
  none: "default",
};

/** So many points are read at a glance; the sidebar folds them all away. */
const pointsAtAGlance = 3;

interface WhyProps {
  readonly card: ReadyCard;
  readonly wide: boolean;
  readonly locale: string | undefined;
}

/** Why this person, why now: the sentence, the score, and the points it is made of. */
export function Why({ card, wide, locale }: WhyProps) {
  const { headline, score, level, points } = card.why;
  const about = [card.lead.job_title, card.lead.company, card.lead.lifecycle_state].filter((text) => text !== null);
  return (
    <>
      <Heading>{headline}</Heading>
      <Text variant="microcopy">{[card.lead.name, ...about].join(" · ")}</Text>
      <StatusTag variant={levels[level]}>Level: {level}</StatusTag>
      <Statistics>
        <StatisticsItem label="Score" number={score.total} />
        <StatisticsItem label="Fit" number={score.fit} />
        <StatisticsItem label="Intent" number={score.intent} />
      </Statistics>
      {points.length === 0 ? null : (
        <Accordion title={`What the score is made of (${points.length})`} defaultOpen={wide} size="sm">
          <Points points={points} locale={locale} />
        </Accordion>
      )}
      {wide || points.length === 0 ? null : (
        <Text variant="microcopy">
          Most of it:{" "}
          {points
            .slice(0, pointsAtAGlance)
            .map((point) => point.text)
            .join("; ")}
        </Text>
      )}
    </>
  );
}

interface PointsProps {
  readonly points: ReadyCard["why"]["points"];
  readonly locale: string | undefined;
}

function Points({ points, locale }: PointsProps) {
  return (
    <List variant="unordered">
      {points.map((point) => (
        <Text key={`${point.at} ${point.text}`}>
          {signed(point.points)} {point.text}
          {point.at === null ? "" : `, ${instantText(point.at, locale)}`}
        </Text>
      ))}
    </List>
  );
}

/** `+12`, `−5`, `0`. */
function signed(points: number): string {
  if (points === 0) return "0";
  return points > 0 ? `+${points}` : `−${Math.abs(points)}`;
}
