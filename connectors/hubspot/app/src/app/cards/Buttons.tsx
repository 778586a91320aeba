import { Button, Flex, List, Text } from "@hubspot/ui-extensions";
import { useState } from "react";
import { Ask } from "./Ask.tsx";
import type { Button as CardButton, Fields } from "./asked.ts";
import type { ReadyCard } from "./document.ts";

interface ButtonsProps {
  readonly card: ReadyCard;
  readonly locale: string | undefined;
  /** The last press is on its way or not settled: nothing can be pressed until it is. */
  readonly blocked: boolean;
  readonly onPress: (button: CardButton, fields: Fields) => void;
}

/** The buttons in the document's order. One that needs something asks for it below the row; one that needs nothing is sent. */
export function Buttons({ card, locale, blocked, onPress }: ButtonsProps) {
  const [asking, setAsking] = useState<CardButton["choice"] | null>(null);
  const asked = card.buttons.find((button) => button.choice === asking && button.possible);
  const first = card.buttons.find((button) => button.possible)?.choice;
  const impossible = card.buttons.filter((button) => !button.possible);
  return (
    <>
      <Flex direction="row" gap="extra-small" wrap>
        {card.buttons.map((button) => (
          <Button
            key={button.choice}
            size="sm"
            variant={button.choice === first ? "primary" : "secondary"}
            disabled={!button.possible || blocked}
            onClick={() => (button.needs === "nothing" ? onPress(button, {}) : setAsking(button.choice))}
          >
            {button.label}
          </Button>
        ))}
      </Flex>
      {asked === undefined ? null : (
        <Ask
          key={asked.choice}
          card={card}
          button={asked}
          locale={locale}
          disabled={blocked}
          onSend={(fields) => onPress(asked, fields)}
          onCancel={() => setAsking(null)}
        />
      )}
      {impossible.length === 0 ? null : (
        <List variant="unordered">
          {impossible.map((button) => (
            <Text key={button.choice} variant="microcopy">
              {button.label}: {button.why_not ?? "not possible now"}
            </Text>
          ))}
        </List>
      )}
    </>
  );
}
