import pressButton from "@salesforce/apex/BatonCardController.pressButton";
import readCard from "@salesforce/apex/BatonCardController.readCard";
import BatonCard from "c/batonCard";
import { createElement } from "lwc";
import business from "../../../../../../stage/documents/business.json";
import done from "../../../../../../stage/documents/done.json";
import empty from "../../../../../../stage/documents/empty.json";
import full from "../../../../../../stage/documents/full.json";
import quiet from "../../../../../../stage/documents/quiet.json";
import ready from "../../../../../../stage/documents/ready.json";

jest.mock("@salesforce/apex/BatonCardController.readCard", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/BatonCardController.pressButton", () => ({ default: jest.fn() }), { virtual: true });

const record = "00Qak00000AbCdEEAV";
const good = (document) => ({
  ok: true,
  status: 200,
  code: "ok",
  detail: "",
  again: false,
  document: JSON.stringify(document),
});
const bad = (status, code, detail, again) => ({ ok: false, status, code, detail, again, document: null });
const pressed = (card, text = "Done.", status = "ok") => good({ status, text, card });

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** An answer that comes when the test says so. */
function pending() {
  let answer;
  const promise = new Promise((resolve) => {
    answer = resolve;
  });
  return { promise, answer };
}

async function card(document) {
  readCard.mockResolvedValue(good(document));
  return start();
}

async function start() {
  const element = createElement("c-baton-card", { is: BatonCard });
  element.recordId = record;
  document.body.appendChild(element);
  await settled();
  return element;
}

const find = (element, id) => element.shadowRoot.querySelector(`[data-id="${id}"]`);
const text = (element, id) => find(element, id)?.textContent.replaceAll(/\s+/g, " ").trim();
const problem = (element) => [...find(element, "problem").querySelectorAll("p")].map((line) => line.textContent);
function notNow(element) {
  const line = find(element, "not-now").querySelector("li");
  const names = [...line.querySelectorAll("span")].map((span) => span.textContent);
  return [names, line.textContent.replace(names.join(""), "").trim()];
}

const buttons = (element) => [...element.shadowRoot.querySelectorAll("[data-choice]")];
const button = (element, choice, about) =>
  buttons(element).find((one) => one.dataset.choice === choice && one.dataset.about === about);
const form = (element) => element.shadowRoot.querySelector("c-baton-ask");
const inForm = (element, selector) => form(element).shadowRoot.querySelector(selector);

function type(field, value) {
  field.dispatchEvent(new CustomEvent("change", { detail: { value } }));
}

const sent = (n = 0) => JSON.parse(pressButton.mock.calls[n][0].press);

afterEach(() => {
  document.body.replaceChildren();
  jest.resetAllMocks();
});

describe("What the card shows", () => {
  it("asks for the record that it stands on, once, and shows that it waits", async () => {
    readCard.mockReturnValue(pending().promise);
    const element = await start();
    expect(readCard.mock.calls).toEqual([[{ recordId: record }]]);
    expect(find(element, "loading")).not.toBeNull();
    expect(find(element, "headline")).toBeNull();
  });

  it("why this person, why now, the score and its points, most first", async () => {
    const element = await card(ready);
    expect(find(element, "loading")).toBeNull();
    expect(text(element, "headline")).toBe(
      "Ada asked for a demo three minutes ago, and two colleagues of hers are trying the product.",
    );
    expect(text(element, "lifecycle")).toBe("Sales ready");
    expect(find(element, "why").querySelector("h3").textContent).toBe("Score 82");
    const points = [...find(element, "why").querySelectorAll("li")].map((li) => li.textContent.trim());
    expect(points).toEqual([
      "+40Asked for a demo",
      "+18Looked at the pricing three times",
      "+15Company size fits",
      "+12Invited two colleagues",
      "+5Country fits",
      "−8Free e-mail address",
    ]);
    expect(find(element, "why").querySelector("summary").textContent).toBe("2 more");
  });

  it("the follow-up with holder, priority, reasons and a running clock", async () => {
    const element = await card(ready);
    const followUp = text(element, "follow-up");
    expect(followUp).toContain("Call about the demo request");
    expect(followUp).toContain("sam@example.com");
    expect(followUp).toContain("PriorityHigh");
    expect(followUp).toContain("Asked for a demo 3 minutes ago");
    const clock = find(element, "follow-up").querySelector("c-baton-clock");
    expect(clock.shadowRoot.querySelector("[role=timer]").textContent).toMatch(/^1[12] min \d\d s left$/);
  });

  it("working time where the policy counts it", async () => {
    const element = await card(business);
    const clock = find(element, "follow-up").querySelector("c-baton-clock");
    expect(clock.shadowRoot.textContent).toBe("4 h of working time left");
  });

  it("the timeline with the newest first and how much more there is", async () => {
    const element = await card(ready);
    const moments = find(element, "timeline").querySelectorAll("li");
    expect(moments).toHaveLength(8);
    expect(moments[0].textContent).toContain("Follow-up opened: call about the demo request");
    expect(find(element, "timeline").querySelector("summary").textContent).toBe("3 more");
    expect(text(element, "earlier")).toBe("14 earlier entries are in Baton.");
  });

  it("likely duplicates, people of the same company, and joins", async () => {
    const element = await card(full);
    expect(text(element, "duplicates")).toContain("Same phone number, same name but for the first name");
    expect(text(element, "related")).toContain("Bo Example");
    expect(text(element, "related")).toContain("Follow-up open");
    expect(text(element, "links")).toContain("Joined with ada.private@example.com: the same user id");
    const links = [...element.shadowRoot.querySelectorAll("a")].map((a) => a.getAttribute("href"));
    expect(links).toEqual([
      "https://example.my.salesforce.com/00Qak00000AbCdEEAV",
      "https://example.my.salesforce.com/00Qak00000AbCdFEAV",
      "https://example.my.salesforce.com/003ak00000IiFInAAN",
    ]);
  });

  it("no section for what is not there", async () => {
    const element = await card(quiet);
    for (const id of ["follow-up", "timeline", "duplicates", "related", "links", "earlier"]) {
      expect(find(element, id)).toBeNull();
    }
    expect(text(element, "no-follow-up")).toBe("There is no follow-up for this person.");
  });

  it("what became of the last follow-up", async () => {
    const element = await card(done);
    expect(text(element, "follow-up")).toContain("Done");
    expect(find(element, "follow-up").querySelector("c-baton-clock").shadowRoot.textContent).toBe("Promise kept");
  });

  it("that nothing is wrong where no tool has said anything", async () => {
    const element = await card(empty);
    expect(text(element, "empty")).toBe(
      "No tool has said anything of this record yet. As soon as one does, you see it here.",
    );
    expect(find(element, "problem")).toBeNull();
    expect(buttons(element)).toEqual([]);
  });

  it("a button that is not possible, disabled and with the reason in words", async () => {
    const element = await card(full);
    expect(button(element, "claim").disabled).toBe(true);
    expect(button(element, "reached").disabled).toBe(false);
    expect(notNow(element)).toEqual([["I take it, Converted:"], "Robin Reach holds it until 10:30."]);
  });

  it("one reason for all buttons, without naming each of them", async () => {
    const element = await card(done);
    expect(buttons(element).every((one) => one.disabled)).toBe(true);
    expect(notNow(element)).toEqual([[], "The follow-up is done."]);
    const joined = await card({ ...full, buttons: [...done.buttons.slice(0, 9), ...full.buttons.slice(9)] });
    expect(notNow(joined)).toEqual([[], "The follow-up is done."]);
  });

  it("the buttons of duplicates and joins beside what they are about, and not elsewhere", async () => {
    const element = await card(full);
    const about = buttons(element)
      .filter((one) => one.dataset.about !== undefined)
      .map((one) => `${one.dataset.choice} ${one.dataset.about}`);
    expect(about).toEqual([
      "merge lead_ada2",
      "keep_apart lead_ada2",
      "merge lead_ada3",
      "keep_apart lead_ada3",
      "split link_1",
    ]);
    expect(button(await card(ready), "merge", undefined)).toBeUndefined();
  });

  it("another record's card when the page goes to another record", async () => {
    const element = await card(ready);
    const slow = pending();
    readCard.mockReturnValueOnce(slow.promise).mockResolvedValueOnce(good(empty));
    element.recordId = "00Qak00000AbCdFEAV";
    element.recordId = "00Qak00000AbCdGEAV";
    await settled();
    slow.answer(good(full));
    await settled();
    expect(text(element, "empty")).toContain("No tool has said anything");
    expect(find(element, "headline")).toBeNull();
  });
});

describe("When the card cannot be read", () => {
  it.each([
    [401, "unproven", "Enter the key anew.", "Baton does not accept this org’s key"],
    [403, "not_a_colleague", "You are no user of this CRM account.", "Baton does not know you as a colleague"],
    [404, "not_connected", "This org is not connected.", "This org is not connected to Baton"],
    [0, "no_credential", "Ask an admin for the permission set Baton Seller.", "You may not see this card yet"],
    [0, "wrong_object", "Baton's card is for leads, contacts and accounts.", "This card cannot stand here"],
    [0, "no_record", "This record is not there any more.", "This record is not there"],
    [422, "bad_record", "That is no record.", "This did not work"],
  ])("says so: %i %s", async (status, code, detail, title) => {
    readCard.mockResolvedValue(bad(status, code, detail, false));
    const element = await start();
    expect(problem(element)).toEqual([title, detail]);
    expect(find(element, "problem").getAttribute("role")).toBe("alert");
    expect(find(element, "again")).toBeNull();
  });

  it.each([
    [429, "http_429"],
    [503, "unavailable"],
    [200, "unreadable"],
    [0, "no_answer"],
  ])("offers to try again where that may help: %i %s", async (status, code) => {
    readCard.mockResolvedValue(bad(status, code, "Please try again.", true));
    const element = await start();
    readCard.mockResolvedValue(good(ready));
    find(element, "again").click();
    await settled();
    expect(find(element, "problem")).toBeNull();
    expect(find(element, "headline")).not.toBeNull();
  });

  it("names the permission set to a user who may not use the Apex class", async () => {
    readCard.mockRejectedValue({
      body: { message: "You do not have access to the Apex class named 'BatonCardController'." },
    });
    const element = await start();
    expect(text(element, "problem")).toContain("Ask an admin for the permission set Baton Seller.");
    expect(find(element, "again")).toBeNull();
  });

  it("does not pass on what Salesforce says of other failures", async () => {
    readCard.mockRejectedValue({ body: { message: "System.NullPointerException: line 12" } });
    const element = await start();
    expect(text(element, "problem")).toContain("Salesforce did not answer. Please try again.");
    expect(find(element, "again")).not.toBeNull();
  });

  it("does not show a state that it does not know", async () => {
    const element = await card({ state: "later", made_at: "2030-01-01T00:00:00Z" });
    expect(text(element, "problem")).toContain("This card is newer than the package.");
  });

  it("keeps the card that it had", async () => {
    const element = await card(ready);
    readCard.mockResolvedValue(bad(503, "unavailable", "Not now.", true));
    find(element, "refresh").click();
    await settled();
    expect(find(element, "headline")).not.toBeNull();
    expect(text(element, "problem")).toContain("Not now.");
  });
});

describe("A button that needs nothing", () => {
  it.each(["claim", "reached", "no_answer", "replied", "converted"])("is sent at once: %s", async (choice) => {
    const element = await card(ready);
    pressButton.mockResolvedValue(pressed(done, "It is noted."));
    const focused = jest.spyOn(find(element, "said"), "focus");
    button(element, choice).click();
    await settled();
    expect(pressButton.mock.calls).toHaveLength(1);
    expect(pressButton.mock.calls[0][0].recordId).toBe(record);
    expect(sent()).toEqual({
      request: expect.stringMatching(/^press-[0-9a-f]{32}$/),
      lead: "lead_ada",
      follow_up: "fu_1",
      choice,
    });
    expect(text(element, "said")).toBe("It is noted.");
    expect(focused).toHaveBeenCalledTimes(1);
    expect(find(element, "said").getAttribute("role")).toBe("status");
    expect(text(element, "headline")).toBe("Ada was reached at 10:04 and wants an offer.");
  });

  it("is sent once, however often it is pressed while it is under way", async () => {
    const element = await card(ready);
    const slow = pending();
    pressButton.mockReturnValue(slow.promise);
    button(element, "reached").click();
    button(element, "reached").click();
    await settled();
    expect(buttons(element).every((one) => one.disabled)).toBe(true);
    expect(find(element, "refresh").disabled).toBe(true);
    expect(text(element, "said")).toBe("One moment …");
    button(element, "no_answer").click();
    slow.answer(pressed(ready));
    await settled();
    expect(pressButton.mock.calls).toHaveLength(1);
    expect(button(element, "reached").disabled).toBe(false);
  });

  it("is the same press when it is sent again after an answer that was lost", async () => {
    const element = await card(ready);
    pressButton.mockResolvedValueOnce(bad(0, "no_answer", "No answer.", true));
    button(element, "reached").click();
    await settled();
    pressButton.mockResolvedValueOnce(bad(409, "busy", "Somebody is at it.", true));
    find(element, "again").click();
    await settled();
    pressButton.mockResolvedValueOnce(pressed(done));
    button(element, "reached").click();
    await settled();
    expect(sent(1)).toEqual(sent(0));
    expect(sent(2)).toEqual(sent(0));
    expect(find(element, "problem")).toBeNull();
  });

  it("is another press after a definite answer", async () => {
    const element = await card(ready);
    pressButton.mockResolvedValue(pressed(ready));
    button(element, "no_answer").click();
    await settled();
    button(element, "no_answer").click();
    await settled();
    expect(sent(1).request).not.toBe(sent(0).request);
    expect({ ...sent(1), request: "" }).toEqual({ ...sent(0), request: "" });
  });

  it("that is not possible any more says why, and the card is read again", async () => {
    const element = await card(ready);
    pressButton.mockResolvedValue(bad(409, "not_possible", "Robin has closed it.", false));
    readCard.mockResolvedValue(good(done));
    button(element, "reached").click();
    await settled();
    expect(problem(element)).toEqual(["That is not possible any more", "Robin has closed it."]);
    expect(text(element, "headline")).toBe("Ada was reached at 10:04 and wants an offer.");
    expect(readCard.mock.calls).toHaveLength(2);
  });

  it("that the policy does not allow says so and leaves the card as it is", async () => {
    const element = await card(ready);
    pressButton.mockResolvedValue(bad(403, "not_a_colleague", "You may not act here.", false));
    const focused = jest.spyOn(HTMLElement.prototype, "focus");
    button(element, "reached").click();
    await settled();
    expect(focused.mock.contexts.at(-1)).toBe(find(element, "problem"));
    focused.mockRestore();
    expect(text(element, "problem")).toContain("You may not act here.");
    expect(find(element, "again")).toBeNull();
    expect(button(element, "reached").disabled).toBe(false);
  });

  it("that is still under way is looked at again a little later", async () => {
    const element = await card(ready);
    pressButton.mockResolvedValue(pressed(ready, "It is on its way.", "under_way"));
    jest.useFakeTimers();
    button(element, "converted").click();
    await jest.advanceTimersByTimeAsync(1);
    expect(text(element, "said")).toBe("It is on its way.");
    readCard.mockResolvedValue(good(done));
    await jest.advanceTimersByTimeAsync(5_000);
    jest.useRealTimers();
    await settled();
    expect(text(element, "headline")).toBe("Ada was reached at 10:04 and wants an offer.");
    expect(text(element, "said")).toBe("It is on its way.");
  });

  it("is not looked at again once the card is gone", async () => {
    const element = await card(ready);
    const slow = pending();
    pressButton.mockReturnValue(slow.promise);
    jest.useFakeTimers();
    button(element, "converted").click();
    element.remove();
    slow.answer(pressed(ready, "It is on its way.", "under_way"));
    await jest.advanceTimersByTimeAsync(60_000);
    jest.useRealTimers();
    expect(readCard).toHaveBeenCalledTimes(1);
  });

  it("takes what was asked for on one record to no other", async () => {
    const element = await card(ready);
    button(element, "not_a_fit").click();
    await settled();
    expect(form(element)).not.toBeNull();
    element.recordId = "00Qak00000AbCdFEAV";
    await settled();
    expect(text(element, "headline")).toContain("Ada asked for a demo");
    expect(form(element)).toBeNull();
  });

  it("leaves nothing behind on another record", async () => {
    const element = await card(ready);
    const slow = pending();
    pressButton.mockReturnValue(slow.promise);
    button(element, "reached").click();
    await settled();
    readCard.mockResolvedValue(good(empty));
    element.recordId = "00Qak00000AbCdFEAV";
    await settled();
    slow.answer(pressed(done, "Noted."));
    await settled();
    expect(text(element, "empty")).toContain("No tool has said anything");
    expect(text(element, "said")).toBe("");
  });
});

describe("A button that needs something", () => {
  it("later: asks until when, suggests tomorrow, and sends an instant", async () => {
    const element = await card(ready);
    button(element, "snooze").click();
    await settled();
    const field = inForm(element, "lightning-input");
    const suggested = Date.parse(field.value) - Date.now();
    expect(suggested).toBeGreaterThanOrEqual(24 * 3_600_000 - 1000);
    expect(suggested).toBeLessThanOrEqual(25 * 3_600_000);
    type(field, "2031-03-03T10:00Z");
    pressButton.mockResolvedValue(pressed(ready, "You hear of it on 3 March."));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(sent()).toMatchObject({ choice: "snooze", follow_up: "fu_1", until: "2031-03-03T10:00:00.000Z" });
    expect(form(element)).toBeNull();
  });

  it.each(["", "2020-01-01T00:00:00.000Z", "soon"])("later: does not send %j", async (value) => {
    const element = await card(ready);
    button(element, "snooze").click();
    await settled();
    type(inForm(element, "lightning-input"), value);
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(pressButton).not.toHaveBeenCalled();
    expect(inForm(element, "[role=alert]").textContent).toBe("Say until when; it must be in the future.");
  });

  it("hand over: offers the colleagues and sends the address", async () => {
    const element = await card(ready);
    button(element, "hand_over").click();
    await settled();
    const field = inForm(element, "lightning-combobox");
    expect(field.options).toEqual([
      { label: "Sam Seller (sam@example.com)", value: "sam@example.com" },
      { label: "Robin Reach (robin@example.com)", value: "robin@example.com" },
      { label: "team@example.com", value: "team@example.com" },
    ]);
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(pressButton).not.toHaveBeenCalled();
    expect(inForm(element, "[role=alert]").textContent).toBe("Choose a colleague.");
    type(field, "robin@example.com");
    pressButton.mockResolvedValue(pressed(ready, "Robin has it."));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(sent()).toMatchObject({ choice: "hand_over", follow_up: "fu_1", to: "robin@example.com" });
  });

  it.each(["not_a_fit", "wrong_person"])("%s: sends the reason in the seller's words", async (choice) => {
    const element = await card(ready);
    button(element, choice).click();
    await settled();
    type(inForm(element, "lightning-textarea"), "  They are a school. ");
    pressButton.mockResolvedValue(pressed(done));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(sent()).toMatchObject({ choice, follow_up: "fu_1", reason: "They are a school." });
  });

  it.each(["not_a_fit", "wrong_person"])("%s: needs no reason", async (choice) => {
    const element = await card(ready);
    button(element, choice).click();
    await settled();
    pressButton.mockResolvedValue(pressed(done));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(sent()).toEqual({ request: expect.any(String), lead: "lead_ada", follow_up: "fu_1", choice });
  });

  it.each(["merge", "keep_apart"])("%s: asks once more and names the duplicate", async (choice) => {
    const element = await card(full);
    button(element, choice, "lead_ada3").click();
    await settled();
    expect(inForm(element, "p").textContent).toContain("Ada Exemple-Lovelace of the Very Long Name?");
    expect(pressButton).not.toHaveBeenCalled();
    pressButton.mockResolvedValue(pressed(ready));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(sent()).toEqual({ request: expect.any(String), lead: "lead_ada", choice, with: "lead_ada3" });
  });

  it("split: asks once more and names the join", async () => {
    const element = await card(full);
    button(element, "split", "link_1").click();
    await settled();
    pressButton.mockResolvedValue(pressed(ready));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(sent()).toEqual({ request: expect.any(String), lead: "lead_ada", choice: "split", link: "link_1" });
  });

  it("sends nothing when the seller thinks better of it, and goes back to the button", async () => {
    const element = await card(ready);
    button(element, "not_a_fit").click();
    await settled();
    const opener = jest.spyOn(button(element, "not_a_fit"), "focus");
    inForm(element, "[data-id=cancel]").click();
    await settled();
    expect(form(element)).toBeNull();
    expect(pressButton).not.toHaveBeenCalled();
    expect(opener).toHaveBeenCalledTimes(1);
  });

  it("is put away with Escape", async () => {
    const element = await card(ready);
    button(element, "snooze").click();
    await settled();
    inForm(element, "[role=group]").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    await settled();
    expect(form(element)).toBeNull();
  });

  it("starts anew when another button is pressed instead", async () => {
    const element = await card(ready);
    button(element, "not_a_fit").click();
    await settled();
    type(inForm(element, "lightning-textarea"), "They are a school.");
    button(element, "wrong_person").click();
    await settled();
    pressButton.mockResolvedValue(pressed(done));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(sent()).toEqual({
      request: expect.any(String),
      lead: "lead_ada",
      follow_up: "fu_1",
      choice: "wrong_person",
    });
  });

  it("keeps what was typed when the answer was lost, and sends the same press", async () => {
    const element = await card(ready);
    button(element, "not_a_fit").click();
    await settled();
    type(inForm(element, "lightning-textarea"), "They are a school.");
    pressButton.mockResolvedValueOnce(bad(503, "unavailable", "Not now.", true));
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(inForm(element, "lightning-textarea").value).toBe("They are a school.");
    pressButton.mockResolvedValueOnce(pressed(done));
    find(element, "again").click();
    await settled();
    expect(sent(1)).toEqual(sent(0));
    expect(form(element)).toBeNull();
  });

  it("is shut while it is under way", async () => {
    const element = await card(ready);
    button(element, "hand_over").click();
    await settled();
    type(inForm(element, "lightning-combobox"), "robin@example.com");
    pressButton.mockReturnValue(pending().promise);
    inForm(element, "[data-id=send]").click();
    inForm(element, "[data-id=send]").click();
    await settled();
    expect(inForm(element, "[data-id=send]").disabled).toBe(true);
    expect(inForm(element, "lightning-combobox").disabled).toBe(true);
    expect(pressButton).toHaveBeenCalledTimes(1);
  });
});
