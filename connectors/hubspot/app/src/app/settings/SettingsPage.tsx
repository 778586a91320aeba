/** Settings of the app in HubSpot: whether it is connected, and what is left to do. Everything else is set in Baton itself. */
import { Alert, Button, Flex, Heading, Link, List, LoadingSpinner, Text } from "@hubspot/ui-extensions";
import { useCallback, useEffect, useState } from "react";
import type { Connection } from "./connection.ts";

export interface SettingsPageProps {
  /** Null where the app was uploaded without it. */
  readonly batonUrl: string | null;
  /** Stays the same function. */
  readonly ask: (batonUrl: string) => Promise<Connection>;
}

export function SettingsPage({ batonUrl, ask }: SettingsPageProps) {
  const [connection, setConnection] = useState<Connection | null>(null);
  const [asking, setAsking] = useState(false);
  const look = useCallback(async () => {
    if (batonUrl === null) return;
    setAsking(true);
    setConnection(await ask(batonUrl));
    setAsking(false);
  }, [batonUrl, ask]);
  useEffect(() => {
    void look();
  }, [look]);

  if (batonUrl === null)
    return (
      <Alert title="This app does not know where Baton is" variant="danger">
        It was uploaded without the variable BATON_URL.
      </Alert>
    );
  return (
    <Flex direction="column" gap="medium">
      <Heading>Connection</Heading>
      {connection === null ? (
        <LoadingSpinner label="Asking Baton" showLabel />
      ) : (
        <ConnectionAlert connection={connection} />
      )}
      <Button size="sm" disabled={asking} onClick={() => void look()}>
        {asking ? "Asking" : "Check again"}
      </Button>
      <Heading>What is left to do here</Heading>
      <List variant="ordered">
        <Text>Open a contact or a company, choose Customize, and add the card Baton to the sidebar or to a tab.</Text>
        <Text>In workflows that find leads, add the action Hand to Baton.</Text>
        <Text>
          Everything else is set in Baton: <Link href={{ url: batonUrl, external: true }}>open Baton</Link>
        </Text>
      </List>
    </Flex>
  );
}

const states: Readonly<
  Record<
    Connection["state"],
    { readonly title: string; readonly variant: "success" | "warning" | "danger"; readonly text: string }
  >
> = {
  connected: { title: "Connected", variant: "success", text: "Baton knows this account and you." },
  not_a_colleague: {
    title: "Connected, but not for you",
    variant: "warning",
    text: "Baton knows this account, and its policy does not let you see the card.",
  },
  not_connected: {
    title: "Not connected",
    variant: "warning",
    text: "Ask whoever runs Baton for a link to connect this account.",
  },
  unknown: { title: "Baton could not be asked", variant: "danger", text: "Please try again." },
};

function ConnectionAlert({ connection }: { readonly connection: Connection }) {
  const { title, variant, text } = states[connection.state];
  return (
    <Alert title={title} variant={variant}>
      {connection.detail ?? text}
    </Alert>
  );
}
