/** The part of the platform's module that the composition root uses; the real types stay out of what is published. */
declare module "cloudflare:workers" {
  export const DurableObject: new (ctx: object, env: object) => object;
}
