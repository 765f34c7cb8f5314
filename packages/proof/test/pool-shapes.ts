/**
 * The shapes of pools: how branches share their items.
 *
 * Owns: `POOLS`, in which a branch takes an item from the others when it is ready, and `ORDINARY`, in which each branch has
 * its own items. A step of an item is the only one that has the item's result.
 */
import type { Pool } from "./random-pools.ts";

type Shape = (pool: Pool) => unknown;

/** Executes a worker per number. */
const workersOf = ({ workers }: Pool, work: (worker: number) => Promise<void>): Promise<unknown> =>
  Promise.all(workers.map(work));

const one = (value: number): string => `item ${value}`;

/** Limits the number of functions that execute, like the package p-limit. */
function limiter(max: number): <T>(fn: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let active = 0;
  return async (fn) => {
    if (active >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else active += 1;
    try {
      return await fn();
    } finally {
      const next = waiting.shift();
      if (next === undefined) active -= 1;
      else next();
    }
  };
}

async function* generated(pool: Pool, awaits: boolean): AsyncGenerator<number> {
  for (const item of pool.items) {
    if (awaits) await pool.prepare(`page ${item}`);
    yield item;
  }
}

const iterator =
  (before: boolean, after: boolean): Shape =>
  (pool) => {
    const items = pool.items.values();
    return workersOf(pool, async (worker) => {
      if (before) await pool.prepare(`worker ${worker}`);
      for (const item of items) {
        if (after) await pool.prepare(item);
        await pool.step("work", item);
        if (after) await pool.step("save", one(item));
      }
    });
  };

export const POOLS: Readonly<Record<string, Shape>> = {
  "a shared iterator": iterator(false, false),
  "a shared iterator, workers that start late": iterator(true, false),
  "a shared iterator, several steps an item": iterator(false, true),
  "a queue": (pool) => {
    const queue = [...pool.items];
    return workersOf(pool, async (worker) => {
      for (let turn = 0; ; turn++) {
        await pool.prepare(`turn ${worker}.${turn}`);
        const item = queue.shift();
        if (item === undefined) return;
        await pool.step("work", item, pool.choose(`undo ${item}`, 4) === 0);
      }
    });
  },
  "a shared counter": (pool) => {
    let next = 0;
    return workersOf(pool, async () => {
      while (next < pool.items.length) {
        const item = next++;
        await pool.prepare(item);
        await pool.step("work", item);
      }
    });
  },
  "names of the workers": (pool) => {
    const items = pool.items.values();
    return workersOf(pool, async (worker) => {
      for (const item of items) {
        if (pool.choose("prepares", 2) === 0) await pool.step(`prepare ${worker}`, item, true);
        await pool.step(`work ${worker}`, item);
      }
    });
  },
  "a limiter": (pool) => {
    const limit = limiter(pool.workers.length);
    return Promise.all(
      pool.items.map((item) =>
        limit(async () => {
          await pool.prepare(item);
          await pool.step("work", item);
        }),
      ),
    );
  },
  "a semaphore": (pool) => {
    const lock = limiter(1);
    return Promise.all(
      pool.items.map(async (item) => {
        await pool.prepare(item);
        await lock(() => pool.step("work", item));
        await pool.step("save", one(item));
      }),
    );
  },
  "a semaphore in ctx.parallel": (pool) => {
    const lock = limiter(1);
    const work = async (item: number): Promise<void> => {
      await pool.prepare(item);
      await lock(() => pool.step("work", item));
    };
    return pool.ctx.parallel(pool.items, work, pool.choose("bounded", 2) === 0 ? { concurrency: 3 } : {});
  },
  "a loop of races": async (pool) => {
    const open = new Map<number, Promise<number>>();
    for (const item of pool.items) {
      open.set(
        item,
        pool.step("work", item).then(() => item),
      );
      if (open.size >= pool.workers.length) open.delete(await Promise.race(open.values()));
    }
    await Promise.all(open.values());
  },
  "items that are put back": (pool) => {
    const queue = [...pool.items];
    return workersOf(pool, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        if (!(await pool.failing(item))) queue.push(item);
      }
    });
  },
  children: (pool) => {
    const items = pool.items.values();
    return workersOf(pool, async () => {
      for (const item of items) {
        await pool.prepare(item);
        await pool.child(item);
      }
    });
  },
  "an async generator": (pool) => {
    const items = generated(pool, pool.choose("awaits", 2) === 0);
    return workersOf(pool, async () => {
      for await (const item of items) await pool.step("work", item);
    });
  },
  "nested pools": (pool) => {
    const items = pool.items.values();
    return workersOf(pool, async () => {
      for (const item of items) {
        const parts = ["a", "b", "c"].values();
        await workersOf(pool, async () => {
          for (const part of parts) await pool.step("work", `${item}${part}`, pool.choose(`undo ${item}`, 4) === 0);
        });
      }
    });
  },
  "a pool after a pool": async (pool) => {
    await iterator(false, true)(pool);
    const items = pool.items.values();
    await workersOf(pool, async () => {
      for (const item of items) await pool.step("work", `${item} again`);
    });
  },
  "a pool after ctx.parallel": async (pool) => {
    await pool.ctx.parallel(pool.items, (item) => pool.step("first", item, item % 3 === 0), { concurrency: 2 });
    await iterator(true, true)(pool);
  },
  "workers in ctx.parallel": (pool) => {
    const items = pool.items.values();
    return pool.ctx.parallel(pool.workers, async () => {
      for (const item of items) {
        await pool.prepare(item);
        await pool.step("work", item);
      }
    });
  },
  "a promise of another branch": (pool) => {
    const shared = pool.prepare("shared").then(() => pool.step("shared", "shared", true));
    // The workers may reach it after it has rejected.
    shared.catch(() => {});
    const items = pool.items.values();
    return workersOf(pool, async (worker) => {
      await pool.prepare(`worker ${worker}`);
      if (worker % 2 === 0) await shared;
      for (const item of items) await pool.step("work", item);
    });
  },
  "branches with one name": (pool) =>
    Promise.all(
      pool.items.map(async (item) => {
        await pool.prepare(item);
        await pool.step("work", item);
      }),
    ),
};

export const ORDINARY: Readonly<Record<string, Shape>> = {
  "one name for each item": (pool) => {
    const items = pool.items.values();
    return workersOf(pool, async () => {
      for (const item of items) {
        if (item % 3 === 0) await pool.step(`prepare ${item}`, item, true);
        await pool.step(`work ${item}`, item);
      }
    });
  },
  "a plain sequence": async (pool) => {
    for (const item of pool.items) {
      await pool.prepare(item);
      await pool.step("work", item);
    }
  },
  "Promise.all with distinct names": (pool) =>
    Promise.all(pool.items.map((item) => pool.step(`work ${item}`, item, item % 3 === 0))),
  "branches with distinct names": (pool) =>
    Promise.all(
      pool.items.map(async (item) => {
        await pool.step(`first ${item}`, item, item % 2 === 0);
        await pool.step(`second ${item}`, item);
        await pool.step(`third ${item}`, item);
      }),
    ),
  "ctx.parallel": (pool) =>
    pool.ctx.parallel(
      pool.items,
      async (item) => {
        await pool.prepare(item);
        await pool.step("work", item);
        await pool.step("save", one(item));
      },
      pool.choose("bounded", 2) === 0 ? { concurrency: 2 } : {},
    ),
};

/** Loops in branches of which each has its own items. Only the order of the outcomes shows that they are no workers. */
export const LOOPS: Readonly<Record<string, Shape>> = {
  "loops in branches with distinct names": (pool) =>
    workersOf(pool, async (worker) => {
      await pool.step(`first ${worker}`, worker, worker === 0);
      for (let turn = 0; turn < 3; turn++) await pool.step(`work ${worker}`, `${worker}.${turn}`);
    }),
  "loops in ctx.parallel": (pool) =>
    pool.ctx.parallel(pool.workers, async (worker) => {
      await pool.step("first", worker, worker === 0);
      for (let turn = 0; turn < 3; turn++) await pool.step("work", `${worker}.${turn}`);
    }),
};
