import type { Patch } from "./hooks.ts";

export interface Mutant {
  readonly name: string;
  readonly patches: readonly Patch[];
}

export const mutants: readonly Mutant[] = [{name:"dbg",patches:[{file:"src/objects/identity.ts",find:"    if (signals.length === 0) return;\n    const answer: Answer = decide({",replace:"process.stderr.write(JSON.stringify([signals.length,root.undecided,root.links.length])+\"\\n\");    if (signals.length === 0) return;\n    const answer: Answer = decide({"},{file:"src/objects/identity.ts",find:"    const next = applyAnswer(root, answer, targets);\n",replace:"    const next = applyAnswer(root, answer, targets);process.stderr.write(JSON.stringify([answer.decision.outcome,answer.decision.signals,next.undecided])+\"\\n\");\n"}]}];
