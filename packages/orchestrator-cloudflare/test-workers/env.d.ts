declare namespace Cloudflare {
  interface Env {
    readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
    readonly RUN_INDEX_DO: DurableObjectNamespace;
    readonly COORDINATOR_DO: DurableObjectNamespace;
    readonly PAYLOADS: R2Bucket;
    readonly SIBLING: Fetcher;
    readonly STEP_HANDLER_URL: string;
  }
}

declare module "node:async_hooks" {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, fn: () => R): R;
    getStore(): T | undefined;
  }
}
