import { env } from "cloudflare:test";
import { expect, expectTypeOf, test } from "vitest";
import type {
  BucketLike,
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  DurableObjectStubLike,
  SocketHostLike,
  SqlStorageLike,
} from "../src/index.ts";

test("the platform's own types assign to the structural ones", () => {
  expectTypeOf<DurableObjectStorage>().toExtend<DurableObjectStorageLike>();
  expectTypeOf<DurableObjectNamespace>().toExtend<DurableObjectNamespaceLike<DurableObjectId>>();
  expectTypeOf<DurableObjectStub>().toExtend<DurableObjectStubLike>();
  expectTypeOf<DurableObjectState>().toExtend<SocketHostLike>();
  expectTypeOf<SqlStorage>().toExtend<SqlStorageLike>();
  expectTypeOf<R2Bucket>().toExtend<BucketLike>();
  const namespace: DurableObjectNamespaceLike = env.WORKFLOW_RUN_DO;
  expect(namespace.get(namespace.idFromName("r1"))).toBeDefined();
});
