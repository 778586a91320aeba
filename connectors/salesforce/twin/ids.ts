/** Pure. Salesforce ids: three characters for the object, twelve that count, and three that check the case of the others. */

export const prefixes = {
  Task: "00T",
  Lead: "00Q",
  Contact: "003",
  Account: "001",
  User: "005",
  Organization: "00D",
  TaskStatus: "01J",
  ActionCadence: "77A",
  ActionCadenceTracker: "77B",
  LeadHistory: "017",
  ContactHistory: "017",
} as const;

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const checks = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/** The 18-character id with this running number. */
export function idOf(object: keyof typeof prefixes, number: number): string {
  let rest = number;
  let tail = "";
  for (let place = 0; place < 12; place++) {
    tail = digits.charAt(rest % 62) + tail;
    rest = Math.floor(rest / 62);
  }
  return withCheck(prefixes[object] + tail);
}

/** 15 characters become 18; an id with a wrong length is left as it is and will be found nowhere. */
export function withCheck(id: string): string {
  if (id.length !== 15) {
    return id;
  }
  let check = "";
  for (let block = 0; block < 3; block++) {
    let bits = 0;
    for (let place = 0; place < 5; place++) {
      if (/[A-Z]/.test(id.charAt(block * 5 + place))) {
        bits |= 1 << place;
      }
    }
    check += checks.charAt(bits);
  }
  return id + check;
}

export function looksLikeId(value: string): boolean {
  return /^[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?$/.test(value);
}
