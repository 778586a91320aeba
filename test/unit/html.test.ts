import { describe, expect, it } from "vitest";
import { html } from "../../src/api/html.ts";

describe("a page", () => {
  it("takes whatever is put in as text", () => {
    const name = `<script>alert("x")</script> & 'y'`;
    expect(html`<p title="${name}">${name}</p>`.text).toBe(
      '<p title="&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; &#38; &#39;y&#39;">&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; &#38; &#39;y&#39;</p>',
    );
  });

  it("takes pages within it as they are, also several, and numbers, nought too", () => {
    const items = ["a", "<b>"].map((word) => html`<li>${word}</li>`);
    expect(html`<ul>${items}</ul>${0}${html`<hr>`}${""}`.text).toBe("<ul><li>a</li><li>&#60;b&#62;</li></ul>0<hr>");
  });

  it("does not take text for a page because it looks like one", () => {
    const posing = { text: "<script>" } as unknown as string;
    expect(html`${posing}`.text).toBe("[object Object]");
    expect(html`${["<i>"] as never}`.text).toBe("&#60;i&#62;");
  });
});
