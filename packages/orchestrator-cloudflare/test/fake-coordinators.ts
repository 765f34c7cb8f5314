/**
 * The objects of coordinators in memory.
 */
import { CoordinatorObject } from "../src/coordinator/coordinator-object.ts";
import { serveCoordinatorAlarm, serveCoordinatorRequest } from "../src/coordinator/handlers.ts";
import type { CoordinatorObjectDeps } from "../src/coordinator/deps.ts";
import type { DurableObjectNamespaceLike } from "../src/index.ts";
import { FakeStorage } from "./fake-platform.ts";

export class FakeCoordinators {
  readonly storages = new Map<string, FakeStorage>();
  readonly #objects = new Map<string, CoordinatorObject>();
  readonly #deps: () => Omit<CoordinatorObjectDeps, "storage" | "coordinatorDO">;
  requests = 0;

  constructor(deps: () => Omit<CoordinatorObjectDeps, "storage" | "coordinatorDO">) {
    this.#deps = deps;
  }

  readonly binding: DurableObjectNamespaceLike<string> = {
    idFromName: (name) => name,
    get: (name) => ({
      fetch: (request) => {
        this.requests += 1;
        return serveCoordinatorRequest(() => this.open(name), request);
      },
    }),
  };

  open(name: string): CoordinatorObject {
    const storage = this.storages.get(name) ?? new FakeStorage();
    this.storages.set(name, storage);
    const object =
      this.#objects.get(name) ?? new CoordinatorObject({ ...this.#deps(), storage, coordinatorDO: this.binding });
    this.#objects.set(name, object);
    return object;
  }

  /** Drops all objects from memory. They come back from their rows, with the dependencies of then. */
  evict(): void {
    this.#objects.clear();
  }

  /** Fires the alarm of an object, if it has one. */
  async fireAlarm(name: string): Promise<void> {
    const storage = this.storages.get(name);
    if (storage === undefined || storage.alarmAt === null) return;
    storage.alarmAt = null;
    await serveCoordinatorAlarm(() => this.open(name), { storage });
  }
}
