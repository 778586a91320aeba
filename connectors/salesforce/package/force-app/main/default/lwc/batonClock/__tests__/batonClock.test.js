import BatonClock from "c/batonClock";
import { createElement } from "lwc";

const madeAt = "2026-03-02T10:00:00.000Z";
const made = Date.parse(madeAt);
const minute = 60_000;

/** The viewer's own clock is two hours off: it must not matter. */
const received = made + 2 * 60 * minute;

function clock(sla) {
  const element = createElement("c-baton-clock", { is: BatonClock });
  Object.assign(element, { sla, madeAt, receivedAt: received });
  document.body.appendChild(element);
  return element.shadowRoot.querySelector("[role=timer]");
}

async function after(ms) {
  jest.advanceTimersByTime(ms);
  await Promise.resolve();
}

const wall = (state, left) => ({ state, left_ms: left, due_at: new Date(made + left).toISOString() });

describe("The clock of a promise", () => {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.setSystemTime(received);
  });

  afterEach(() => {
    document.body.replaceChildren();
    jest.useRealTimers();
  });

  it("counts down", async () => {
    const face = clock(wall("running", 12 * minute));
    expect(face.textContent).toBe("12 min 00 s left");
    await after(5_000);
    expect(face.textContent).toBe("11 min 55 s left");
  });

  it("says how long the promise is broken, as soon as it is", async () => {
    const face = clock(wall("running", 2_000));
    await after(2_000);
    expect(face.textContent).toBe("0 s left");
    await after(61_000);
    expect(face.textContent).toBe("Overdue by 1 min 01 s");
    expect(face.className).toBe("clock over");
  });

  it("goes on counting where it was broken before", async () => {
    const face = clock(wall("breached", -35 * minute));
    expect(face.textContent).toBe("Overdue by 35 min 00 s");
    await after(minute);
    expect(face.textContent).toBe("Overdue by 36 min 00 s");
  });

  it("stands still once the promise was kept", async () => {
    const face = clock(wall("met", 8 * minute));
    await after(60 * minute);
    expect(face.textContent).toBe("Promise kept");
    expect(face.className).toBe("clock met");
  });

  it("does not count working time, which it cannot know, but never shows more than the wall leaves", async () => {
    const sla = { state: "running", left_ms: 240 * minute, due_at: new Date(made + 1_380 * minute).toISOString() };
    const face = clock(sla);
    expect(face.textContent).toBe("4 h of working time left");
    await after(60 * minute);
    expect(face.textContent).toBe("4 h of working time left");
    await after(1_200 * minute);
    expect(face.textContent).toBe("2 h of working time left");
  });

  it("stops when the card goes", async () => {
    clock(wall("running", 12 * minute));
    expect(jest.getTimerCount()).toBe(1);
    document.body.replaceChildren();
    expect(jest.getTimerCount()).toBe(0);
  });
});
