/** The part of the platform's module that the composition root uses. Published types do not depend on the real ones. */
declare module "cloudflare:workers" {
  export const DurableObject: new (ctx: object, env: object) => object;
}
