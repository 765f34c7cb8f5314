import { env } from "cloudflare:test";
import { expect, expectTypeOf, test } from "vitest";
import type {
  BucketLike,
  DispatchNamespaceLike,
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  DurableObjectStubLike,
  HibernatingSocketLike,
  SocketHostLike,
  SqlStorageLike,
} from "../src/index.ts";
import type { HoldfastApp, ObjectContextLike } from "../src/deployment/holdfast.ts";

test("the platform's own types are assignable to the structural types", () => {
  expectTypeOf<DurableObjectStorage>().toExtend<DurableObjectStorageLike>();
  expectTypeOf<DurableObjectNamespace>().toExtend<DurableObjectNamespaceLike<DurableObjectId>>();
  expectTypeOf<DurableObjectStub>().toExtend<DurableObjectStubLike>();
  expectTypeOf<DurableObjectState>().toExtend<SocketHostLike>();
  expectTypeOf<SqlStorage>().toExtend<SqlStorageLike>();
  expectTypeOf<DispatchNamespace>().toExtend<DispatchNamespaceLike>();
  expectTypeOf<R2Bucket>().toExtend<BucketLike>();
  expectTypeOf<WebSocket>().toExtend<HibernatingSocketLike>();
  expectTypeOf<DurableObjectState>().toExtend<ObjectContextLike>();
  const namespace: DurableObjectNamespaceLike = env.WORKFLOW_RUN_DO;
  expect(namespace.get(namespace.idFromName("r1"))).toBeDefined();
});

test("the Worker and the classes of holdfast are assignable to the platform's types", () => {
  expectTypeOf<HoldfastApp<Cloudflare.Env>["worker"]>().toExtend<ExportedHandler<Cloudflare.Env>>();
  type Instance = InstanceType<HoldfastApp["WorkflowRunDO"]>;
  expectTypeOf<Instance>().toExtend<
    Pick<Required<DurableObject>, "fetch" | "alarm" | "webSocketMessage" | "webSocketClose">
  >();
  expectTypeOf<InstanceType<HoldfastApp["RunIndexDO"]>>().toExtend<Pick<Required<DurableObject>, "fetch">>();
  expectTypeOf<InstanceType<HoldfastApp["CoordinatorDO"]>>().toExtend<
    Pick<Required<DurableObject>, "fetch" | "alarm">
  >();
});
