/** The top of the home page, above the text of docs/index.md. */
export const HOME = {
  layout: "home",
  hero: {
    name: "Holdfast",
    text: "Functions that finish",
    tagline:
      "Durable workflows for TypeScript on Cloudflare Durable Objects. Each step is stored before the next one begins, so a run continues after a crash, a deploy or a month of waiting.",
    actions: [
      { theme: "brand", text: "Your first run", link: "/tutorial/1-first-run" },
      { theme: "alt", text: "How it works", link: "/concepts/mental-model" },
      { theme: "alt", text: "What is promised", link: "/guarantees" },
    ],
  },
  features: [
    {
      title: "Plain async functions",
      details:
        "Loops, branches, try and Promise.all are the workflow language. Steps, waits and children are calls on ctx.",
      link: "/reference/ctx",
    },
    {
      title: "Nothing to operate",
      details:
        "A run is a Durable Object with its own SQLite: no cluster, no queue, no database server. A run that waits costs no compute.",
      link: "/how-to/costs",
    },
    {
      title: "Crashes are a unit test",
      details: "testWorkflow runs on a virtual clock, and crashes at every write with one option.",
      link: "/how-to/test",
    },
    {
      title: "People and events",
      details: "Approvals with typed answers, signals, callbacks and events wait for as long as it takes.",
      link: "/how-to/human-approval",
    },
    {
      title: "Steps run where you need them",
      details: "In the same Worker, in another one, or in a Node, Bun or Deno process of your network.",
      link: "/concepts/where-code-runs",
    },
    {
      title: "See each run",
      details:
        "A dashboard, a command line and an HTTP API show each step, wait and attempt, and why a run does not move.",
      link: "/reference/dashboard",
    },
  ],
};
