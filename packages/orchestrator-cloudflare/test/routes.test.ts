import { describe, expect, test } from "vitest";
import { ROUTES } from "../src/api/routes.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

describe("the table of routes", () => {
  test("API1 each operation has a unique id, and each method of a path is one operation", () => {
    const ids = ROUTES.map(({ id }) => id);
    const places = ROUTES.map(({ verb, path }) => `${verb} ${path}`);
    expect([new Set(ids).size, new Set(places).size]).toEqual([ROUTES.length, ROUTES.length]);
  });

  test("SEC1 every route under /api and /metrics need a scope, and no other route needs credentials", () => {
    for (const { path, scope } of ROUTES) expect(scope !== undefined).toBe(/^\/(?:api\/|metrics$)/.test(path));
  });

  const placeOf = (path: string): string => path.replaceAll(/:\w+/g, "x");

  test.each(ROUTES.filter(({ scope }) => scope !== undefined))(
    "SEC2 $verb $path rejects credentials without the scope $scope",
    async ({ verb, path, scope }) => {
      const api = new FakeDeployment([], { verifyRequest: () => ({ subject: "ann", scopes: [] }) });
      const answer = await answerOf(await api.fetch(placeOf(path), { method: verb }));
      expect(answer).toMatchObject({ status: 403, body: { error: "forbidden" } });
      expect(answer.body.message).toContain(`needs the scope "${scope}"`);
    },
  );

  test.each([...new Set(ROUTES.map(({ path }) => path))])("LIM2 %s answers 405 to another method", async (path) => {
    const api = new FakeDeployment([]);
    const answer = await api.fetch(placeOf(path), { method: "PUT" });
    const verbs: string[] = ROUTES.filter((one) => one.path === path).map(({ verb }) => verb);
    const allowed = verbs.includes("GET") ? [...verbs, "HEAD"] : verbs;
    expect([answer.status, answer.headers.get("Allow")]).toEqual([405, allowed.join(", ")]);
  });
});
