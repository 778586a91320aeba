/**
 * Made from Baton's `src/card/document.ts`, where each member is explained, by `npm run types:hubspot-app`.
 * Not to be edited.
 */

export type Choice =
  | "claim"
  | "reached"
  | "no_answer"
  | "replied"
  | "converted"
  | "snooze"
  | "not_a_fit"
  | "wrong_person"
  | "hand_over"
  | "merge"
  | "keep_apart"
  | "split";

export type ReadyCard = {
  readonly state: "ready";
  readonly lead: {
    readonly lead: string;
    readonly name: string;
    readonly email: string | null;
    readonly job_title: string | null;
    readonly record_url: string | null;
    readonly company: string | null;
    readonly lifecycle_state: string;
  };
  readonly why: {
    readonly headline: string;
    readonly score: {
      readonly total: number;
      readonly fit: number;
      readonly intent: number;
    };
    readonly level: "none" | "watch" | "card" | "task" | "urgent";
    readonly points: readonly {
      readonly text: string;
      readonly points: number;
      readonly at: string | null;
    }[];
  };
  readonly follow_up: {
    readonly id: string;
    readonly title: string;
    readonly state: "open" | "done" | "cancelled" | "parked";
    readonly holder: string;
    readonly priority: "low" | "medium" | "high";
    readonly due_at: string;
    readonly sla: {
      readonly state: "running" | "met" | "breached";
      readonly due_at: string;
      readonly left_ms: number;
    } | null;
    readonly reasons: readonly string[];
  } | null;
  readonly timeline: readonly {
    readonly id: string;
    readonly at: string;
    readonly what: string;
    readonly source: string;
  }[];
  readonly earlier: number;
  readonly duplicates: readonly {
    readonly lead: string;
    readonly name: string;
    readonly email: string | null;
    readonly job_title: string | null;
    readonly record_url: string | null;
    readonly because: string;
    readonly exception: string;
  }[];
  readonly related: readonly {
    readonly lead: string;
    readonly name: string;
    readonly email: string | null;
    readonly job_title: string | null;
    readonly record_url: string | null;
    readonly score: number;
    readonly open_follow_up: boolean;
  }[];
  readonly buttons: readonly {
    readonly choice: Choice;
    readonly label: string;
    readonly needs: "nothing" | "until" | "colleague" | "duplicate" | "link" | "reason";
    readonly possible: boolean;
    readonly why_not: string | null;
  }[];
  readonly colleagues: readonly {
    readonly email: string;
    readonly name: string;
  }[];
  readonly links: readonly {
    readonly id: string;
    readonly what: string;
    readonly at: string;
  }[];
  readonly viewer: string;
  readonly made_at: string;
};

export type EmptyCard = {
  readonly state: "empty";
  readonly text: string;
  readonly viewer: string;
  readonly made_at: string;
};

export type Card = ReadyCard | EmptyCard;

export type Press = {
  readonly request: string;
  readonly lead: string;
  readonly follow_up?: string;
  readonly choice: Choice;
  readonly until?: string;
  readonly to?: string;
  readonly with?: string;
  readonly link?: string;
  readonly reason?: string;
};

export type Pressed = {
  readonly status: "ok" | "under_way";
  readonly text: string;
  readonly card: Card;
};

/** Longest `reason` of a press, in characters. */
export const reasonCharsMax = 500;
