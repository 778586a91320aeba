/** HubSpot's side of the card: which record it stands on, who looks, and the way out, which HubSpot signs. */
import type { ReactNode } from "react";

/** What the page around it provides: whoever opens the stage signs the call and sends it, as HubSpot does (CRM-FACTS §1.9). */
export interface Host {
  readonly batonUrl: string;
  readonly objectTypeId: string;
  readonly objectId: string;
  /** On a company's record: its properties. */
  readonly company?: { readonly domain?: string; readonly name?: string };
  fetch(url: string, method: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
}

declare global {
  interface Window {
    batonHost: Host;
  }
}

export const hubspot = {
  /** `Sidebar.tsx` and `Tab.tsx` register themselves with it in HubSpot; the stage draws `OnRecord` itself. */
  extend: (_draw: (given: never) => ReactNode): void => undefined,
  fetch: async (
    url: string,
    options: { readonly method?: string; readonly body?: unknown } = {},
  ): Promise<Response> => {
    const { status, body } = await window.batonHost.fetch(url, options.method ?? "GET", options.body);
    if (status === 0) throw new TypeError("the connection broke");
    return new Response(JSON.stringify(body), { status });
  },
};
