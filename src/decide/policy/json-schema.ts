/** The policy document as JSON Schema, for editors and for whoever writes policies with a program. Pure. */
import * as z from "zod";
import { policyShape } from "../policy.ts";
import { conditionSchema, depthMax, factNames, propertyFact, testSchema, testsMax } from "./condition.ts";

/** Of what may be sent: members with a default may be left out. What the parts mean to each other is checked when it is sent. */
export function policyJsonSchema(): object {
  const schema = z.toJSONSchema(policyShape, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if ((zodSchema as unknown) === conditionSchema) jsonSchema.$ref = "#/$defs/condition";
    },
  });
  const { $schema: _same, ...test } = z.toJSONSchema(testSchema);
  return {
    ...schema,
    title: "Baton policy",
    // Drafts are numbered when they are activated.
    required: schema.required?.filter((name) => name !== "version") ?? [],
    $defs: { ...schema.$defs, condition, test },
  };
}

const conditions = { type: "array", minItems: 1, maxItems: testsMax, items: { $ref: "#/$defs/condition" } };
const asked = { $ref: "#/$defs/test" };

const condition = {
  type: "object",
  description: `Facts and what is asked of them; all must hold. At most ${testsMax} tests, nested at most ${depthMax} deep.`,
  minProperties: 1,
  properties: {
    any_of: { ...conditions, description: "One of these holds." },
    all_of: { ...conditions, description: "All of these hold." },
    none_of: { ...conditions, description: "None of these holds." },
    ...Object.fromEntries(factNames.map((name) => [name, asked])),
  },
  patternProperties: { [propertyFact.source]: asked },
  additionalProperties: false,
};
