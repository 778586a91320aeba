import { Alert, Button, DateInput, Flex, Form, Select, Text, TextArea, TimeInput } from "@hubspot/ui-extensions";
import { useState } from "react";
import { askedFor, type Button as CardButton, type Fields, type Filled, nothingFilled } from "./asked.ts";
import { instantText } from "./clock.ts";
import { type ReadyCard, reasonCharsMax } from "./document.ts";

interface AskProps {
  readonly card: ReadyCard;
  readonly button: CardButton;
  readonly locale: string | undefined;
  readonly disabled: boolean;
  readonly onSend: (fields: Fields) => void;
  readonly onCancel: () => void;
}

/** What a button needs before it can be sent: a day, a colleague, a person, a join, or a reason. */
export function Ask({ card, button, locale, disabled, onSend, onCancel }: AskProps) {
  const [filled, setFilled] = useState<Filled>(nothingFilled);
  const [missing, setMissing] = useState<string | null>(null);
  const choices = choicesOf(card, button.needs, locale);
  const fill = (part: Partial<Filled>) => {
    setMissing(null);
    setFilled((now) => ({ ...now, ...part }));
  };
  const send = () => {
    const asked = askedFor(button.needs, filled, Date.now());
    if (asked.ok) onSend(asked.fields);
    else setMissing(asked.message);
  };
  return (
    <Form preventDefault onSubmit={send}>
      <Text format={{ fontWeight: "bold" }}>{button.label}</Text>
      <Input needs={button.needs} choices={choices} filled={filled} missing={missing} onFill={fill} />
      <Flex direction="row" gap="small">
        {choices?.options.length === 0 ? null : (
          <Button type="submit" variant="primary" size="sm" disabled={disabled}>
            Send
          </Button>
        )}
        <Button size="sm" disabled={disabled} onClick={onCancel}>
          Cancel
        </Button>
      </Flex>
    </Form>
  );
}

interface InputProps {
  readonly needs: CardButton["needs"];
  /** Where one of several is to be chosen. */
  readonly choices: Choices | null;
  readonly filled: Filled;
  readonly missing: string | null;
  readonly onFill: (part: Partial<Filled>) => void;
}

function Input({ needs, choices, filled, missing, onFill }: InputProps) {
  switch (needs) {
    case "nothing":
      return null;
    case "until":
      return <Until filled={filled} missing={missing} onFill={onFill} />;
    case "reason":
      return (
        <TextArea
          label="Why? (may stay empty)"
          name="reason"
          maxLength={reasonCharsMax}
          rows={3}
          onInput={(reason) => onFill({ reason })}
          onChange={(reason) => onFill({ reason })}
        />
      );
    case "colleague":
    case "duplicate":
    case "link":
      return choices === null ? null : (
        <Pick needs={needs} choices={choices} filled={filled} missing={missing} onFill={onFill} />
      );
  }
}

function Pick({ needs, choices, filled, missing, onFill }: InputProps & { readonly choices: Choices }) {
  const { label, none, options } = choices;
  if (options.length === 0) return <Alert title={none} variant="info" />;
  return (
    <Select
      label={label}
      name={needs}
      required
      options={[...options]}
      {...(filled.picked === null ? {} : { value: filled.picked })}
      error={missing !== null}
      {...(missing === null ? {} : { validationMessage: missing })}
      onChange={(value) => onFill({ picked: String(value) })}
    />
  );
}

function Until({ filled, missing, onFill }: Pick<InputProps, "filled" | "missing" | "onFill">) {
  const { day, time } = filled.moment;
  return (
    <>
      <DateInput
        label="Until which day?"
        name="day"
        required
        error={missing !== null}
        {...(missing === null ? {} : { validationMessage: missing })}
        onChange={({ year, month, date }) => onFill({ moment: { day: { year, month, date }, time } })}
      />
      <TimeInput
        label="At what time?"
        name="time"
        value={time}
        onChange={({ hours, minutes }) => onFill({ moment: { day, time: { hours, minutes } } })}
      />
    </>
  );
}

interface Choices {
  readonly label: string;
  /** Said where there is nothing to choose from. */
  readonly none: string;
  readonly options: readonly { readonly label: string; readonly value: string }[];
}

function choicesOf(card: ReadyCard, needs: CardButton["needs"], locale: string | undefined): Choices | null {
  switch (needs) {
    case "nothing":
    case "until":
    case "reason":
      return null;
    case "colleague":
      return {
        label: "To whom?",
        none: "There is nobody to hand it to.",
        options: card.colleagues.map(({ email, name }) => ({ label: `${name} (${email})`, value: email })),
      };
    case "duplicate":
      return {
        label: "Which person?",
        none: "There is nobody who may be the same person.",
        options: card.duplicates.map(({ lead, name, email }) => ({
          label: email === null ? name : `${name} (${email})`,
          value: lead,
        })),
      };
    case "link":
      return {
        label: "What is to be undone?",
        none: "There is nothing to undo.",
        options: card.links.map(({ id, what, at }) => ({ label: `${what}, ${instantText(at, locale)}`, value: id })),
      };
  }
}
