/**
 * The tokens of one simulated CRM account, rotating as Salesforce's do (CRM-FACTS §2.4): each refresh gives a new refresh token and
 * uses up the one that it was sent with, whether or not its answer arrives.
 */
import type { Grant, GrantFailure } from "../../connectors/contract.ts";
import { fail, ok, type Result } from "../../src/failure.ts";
import type { Platform } from "./platform.ts";

export class Tokens {
  /** Refreshes that used a token up, and how often somebody had to connect again. */
  refreshes = 0;
  connected = 0;
  /** Each consent gives one, beside those before. */
  readonly #live = new Set<string>();
  #underWay = 0;

  /** Somebody consents once more. */
  connect(name: string): Grant {
    this.connected++;
    return this.#grant(name, `refresh-${this.refreshes}-${this.connected}`);
  }

  refresh(platform: Platform, name: string, { refreshToken }: Grant): Promise<Result<Grant, GrantFailure>> {
    return platform.ask((answer, resolve) => {
      const { engine } = platform;
      const who = () => `refresh of ${platform.label(name)}`;
      engine.say(() => `CRM is asked for a ${who()} with ${refreshToken}`);
      if (this.#underWay > 0) engine.fail("TOKEN", `two refreshes of ${platform.label(name)} at once`);
      if (!this.#live.has(refreshToken))
        engine.fail("TOKEN", `${platform.label(name)} sends ${refreshToken}, which is used up`);
      const lost = () => resolve(fail({ arm: "lost", reason: "connection_broken" }));
      if (engine.strikes("crm_lost_before", who)) return answer(engine.between(100, 20_000), lost);
      if (engine.strikes("crm_defers", who))
        return answer(platform.hop() + 20, () => resolve(fail({ arm: "unknown", reason: "http_503" })));
      const losesAnswer = engine.strikes("crm_lost_after", who);
      const partMs = engine.strikes("crm_slow", who) ? engine.between(1_000, 9_000) : platform.hop() + 20;
      this.#underWay++;
      let grant: Grant | null = null;
      engine.after(partMs, null, "refresh", () => {
        this.#underWay--;
        this.refreshes++;
        this.#live.delete(refreshToken);
        grant = this.#grant(name, `refresh-${this.refreshes}`);
      });
      if (losesAnswer) return answer(partMs + engine.between(50, 10_000), lost);
      answer(partMs + platform.hop() + 1, () => (grant === null ? lost() : resolve(ok(grant))));
    });
  }

  #grant(name: string, refreshToken: string): Grant {
    this.#live.add(refreshToken);
    return {
      accessToken: `access of ${refreshToken}`,
      refreshToken,
      expiresAt: null,
      apiUrl: `sim:${name}`,
      crmAccount: "1",
      scopes: [],
    };
  }
}
