/** Leads of whom no two are one person, though names, families and firms repeat: what likeness is measured against. */
import type { LeadText } from "../src/resolve/likeness/records.ts";

const given = "Ada Bea Carl Dora Emil Fay Gus Hedy Ivan Jana Karl Lena Max Nora Otto Pia Rolf Suse Till Ute".split(" ");
const family =
  "Abel Brandt Conrad Decker Ebert Falk Gruber Haas Iller Jahn Kessler Lorenz Mertens Neumann Ohlsen Peters Quandt Richter Seidel Thoma Ullmann Vogt Wagner Xaver Zander".split(
    " ",
  );
const firms = "Aster Birch Cedar Daisy Elm Fern Grove Hazel Iris Juniper Kale Laurel Maple Nettle Oak".split(" ");

export function strangers(count: number): LeadText[] {
  return Array.from({ length: count }, (_, at) => {
    const first_name = given[at % given.length] ?? "";
    const last_name = family[(at * 7 + Math.floor(at / given.length)) % family.length] ?? "";
    const firm = firms[(at * 4 + Math.floor(at / firms.length)) % firms.length] ?? "";
    return {
      id: `stranger${at}`,
      email: `${first_name}.${last_name}@${firm}.example.com`.toLowerCase(),
      first_name,
      last_name,
      company: `${firm} Works`,
      account_name: null,
      account_domain: null,
      website: null,
      phone: null,
      job_title: null,
      country: null,
    };
  });
}
