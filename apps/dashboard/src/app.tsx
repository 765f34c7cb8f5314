/**
 * The frame of every page: the bar, the page of the route, the sign-in panel and the help.
 */
import type { JSX } from "preact";
import { ActHost } from "./act/host.tsx";
import { StartPage, WorkflowsPage } from "./act/lazy.tsx";
import { Footer } from "./footer.tsx";
import { HelpDialog } from "./help.tsx";
import { ApprovalsPage } from "./approvals/lazy.tsx";
import { mine } from "./approvals/mine.ts";
import { NavCount } from "./approvals/nav-count.tsx";
import { EventPage, EventsPage, TopicPage } from "./events/lazy.tsx";
import { LimitPage, LimitsPage } from "./limits/lazy.tsx";
import {
  approvalsPath,
  eventsPath,
  limitsPath,
  type Route,
  route,
  runsPath,
  schedulesPath,
  startPath,
  workflowsPath,
} from "./router.ts";
import { RunsPage } from "./runs/runs-page.tsx";
import { SchedulePage, SchedulesPage } from "./schedules/lazy.tsx";
import { hasToken, signOut, signedOut } from "./session.ts";
import { ComparePage, OpenPage, RunPage } from "./lazy-pages.tsx";
import { SignIn } from "./sign-in.tsx";
import { ThemeButton } from "./theme.tsx";
import { Boundary } from "./ui/boundary.tsx";

export function App(): JSX.Element {
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="bar-top">
        <a class="brand" href={runsPath()}>
          <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
            <path d="M4.5 3v10M11.5 3v10M4.5 8h7" />
          </svg>
          Holdfast
        </a>
        <Nav />
        <span class="grow" />
        <HelpDialog />
        <ThemeButton />
        {hasToken() && !signedOut.value && (
          <button type="button" class="quiet" onClick={signOut}>
            Sign out
          </button>
        )}
      </header>
      <div id="content" tabIndex={-1}>
        <Boundary key={"id" in route.value ? `${route.value.page} ${route.value.id}` : route.value.page}>
          <Page />
        </Boundary>
      </div>
      <Footer />
      <ActHost />
      {signedOut.value && <SignIn />}
    </>
  );
}

/** The list to which the page of one belongs. */
const OF: Readonly<Partial<Record<Route["page"], string>>> = {
  limit: "limits",
  schedule: "schedules",
  event: "events",
  topic: "events",
};

function Nav(): JSX.Element {
  const { page } = route.value;
  const pages = [
    ["runs", runsPath(), "Runs"],
    ["approvals", approvalsPath({ assignee: mine.value }), "Approvals"],
    ["limits", limitsPath(), "Limits"],
    ["schedules", schedulesPath(), "Schedules"],
    ["events", eventsPath(), "Events"],
    ["workflows", workflowsPath(), "Workflows"],
    ["start", startPath(), "Start"],
  ] as const;
  return (
    <nav aria-label="Pages">
      {pages.map(([name, path, text]) => (
        <a href={path} aria-current={page === name || OF[page] === name ? "page" : undefined} key={name}>
          {text}
          {name === "approvals" && <NavCount />}
        </a>
      ))}
    </nav>
  );
}

function Page(): JSX.Element {
  const { value } = route;
  if (value.page === "runs") return <RunsPage query={value.query} columns={value.columns} />;
  if (value.page === "run") return <RunPage id={value.id} tab={value.tab} op={value.op} />;
  if (value.page === "approvals") return <ApprovalsPage assignee={value.assignee} runId={value.runId} op={value.op} />;
  if (value.page === "compare") return <ComparePage a={value.a} b={value.b} />;
  if (value.page === "open") return <OpenPage />;
  if (value.page === "start") return <StartPage like={value.like} workflow={value.workflow} key={value.like ?? ""} />;
  if (value.page === "workflows") return <WorkflowsPage />;
  if (value.page === "limits") return <LimitsPage name={value.name} />;
  if (value.page === "limit") return <LimitPage name={value.name} limitKey={value.key} />;
  if (value.page === "events") return <EventsPage name={value.name} />;
  if (value.page === "event") return <EventPage id={value.id} />;
  if (value.page === "topic") return <TopicPage name={value.name} topicKey={value.key} />;
  if (value.page === "schedules") return <SchedulesPage />;
  if (value.page === "schedule") return <SchedulePage id={value.id} />;
  return (
    <main class="page empty">
      <h1>There is no page here</h1>
      <p>
        <a class="button" href={runsPath()}>
          Show all runs
        </a>
      </p>
    </main>
  );
}
