/** Everything that is wrong at once, so that nobody mends one line at a time. */
export function failIf(problems) {
  if (problems.length > 0) {
    throw new Error(`${problems.length} found:\n  ${problems.join("\n  ")}`);
  }
}
